"""Owns the agent's reading and writing of files: inside its folders only, links never followed out of them.

A path is resolved first and must then lie in one of the roots; it is opened from the root's descriptor, name
after name, without following anything, so what is swapped meanwhile is refused. A write is a rename.
"""

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from snakepit.core.globs import compiled

READ_LINES = 2000
READ_CHARS = 30_000
LINE_CHARS = 2000
READ_BYTES = 10_000_000  # of a file that is shown or edited
FOUND = 500  # paths that a glob gives
VISITED = 200_000  # entries that a glob looks at
SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"})

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FileTrouble(Exception):
    """What is wrong, in words for the model."""


class Files:
    def __init__(
        self, cwd: Path, *, roots: Sequence[Path] = (), shown: Sequence[Path] = ()
    ) -> None:
        """`roots` may be written beside `cwd`; `shown` only read."""
        self.cwd = cwd.resolve()
        self._roots = tuple(dict.fromkeys([self.cwd, *(root.resolve() for root in roots)]))
        self._shown = tuple(path.resolve() for path in shown)

    def read(self, path: str, offset: int = 1, limit: int = READ_LINES) -> str:
        """Lines with their numbers, from line `offset` on."""
        text = self._text(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        lines = text.splitlines()
        first = max(offset, 1)
        shown: list[str] = []
        size = 0
        for number, line in enumerate(lines[first - 1 : first - 1 + min(limit, READ_LINES)], first):
            cut = line if len(line) <= LINE_CHARS else f"{line[:LINE_CHARS]} […]"
            size += len(cut) + 8
            if size > READ_CHARS:
                break
            shown.append(f"{number:6d}\t{cut}")
        if not shown:
            return f"({path} has {len(lines)} lines)" if lines else f"({path} is empty)"
        last = first + len(shown) - 1
        rest = f"\n[lines {first} to {last} of {len(lines)}]" if last < len(lines) else ""
        return "\n".join(shown) + rest

    def write(self, path: str, content: str) -> str:
        target = self.resolved(path, writes=True)
        was_there = target.exists()
        self._put(target, content.encode("utf-8", "surrogateescape"))
        return f"{'replaced' if was_there else 'wrote'} {path}, {len(content.splitlines())} lines"

    def edit(self, path: str, old: str, new: str, *, replace_all: bool = False) -> str:
        if not old:
            msg = "old_string is empty; write makes a new file"
            raise FileTrouble(msg)
        if old == new:
            msg = "old_string and new_string are the same"
            raise FileTrouble(msg)
        target = self.resolved(path, writes=True)
        text = self._text(path)
        count = text.count(old)
        if not count:
            msg = f"old_string is not in {path}; read it again, and copy the text exactly"
            raise FileTrouble(msg)
        if count > 1 and not replace_all:
            msg = f"old_string is in {path} {count} times; give more of what is around it, or replace_all"
            raise FileTrouble(msg)
        self._put(target, text.replace(old, new).encode("utf-8", "surrogateescape"))
        return f"changed {count} place{'s' if count > 1 else ''} in {path}"

    def glob(self, pattern: str, path: str = ".") -> str:
        top = self.resolved(path)
        if os.path.isabs(pattern):
            msg = "pattern is relative to path"
            raise FileTrouble(msg)
        wanted = compiled(pattern)
        found: list[str] = []
        visited = 0
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name not in SKIPPED)
            inside = os.path.relpath(folder, top)
            for name in sorted(names):
                visited += 1
                relative = name if inside == "." else f"{inside}/{name}"
                if wanted.search(relative):
                    found.append(relative if path == "." else os.path.join(path, relative))
            if len(found) > FOUND or visited > VISITED:
                break
        if not found:
            return "nothing matches"
        more = f"\n[only the first {FOUND}]" if len(found) > FOUND or visited > VISITED else ""
        return "\n".join(found[:FOUND]) + more

    def resolved(self, path: str, *, writes: bool = False) -> Path:
        """Where the path really leads; FileTrouble where that is outside."""
        if not path or "\0" in path:
            msg = "the path is empty or has a zero byte"
            raise FileTrouble(msg)
        try:
            target = (self.cwd / os.path.expanduser(path)).resolve()
        except (OSError, RuntimeError) as error:
            msg = f"{path}: {error}"
            raise FileTrouble(msg) from error
        allowed = self._roots if writes else (*self._roots, *self._shown)
        if not any(target.is_relative_to(root) for root in allowed):
            inside = ", ".join(str(root) for root in self._roots)
            msg = f"{path} is outside of what you may {'write' if writes else 'read'} ({inside})"
            raise FileTrouble(msg)
        return target

    # ---

    def _text(self, path: str) -> str:
        target = self.resolved(path)
        with self._parent(target) as (folder, name):
            try:
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            except OSError as error:
                msg = f"{path}: {error.strerror}"
                raise FileTrouble(msg) from error
            with open(file, "rb") as stream:
                found = os.fstat(file)
                if not stat.S_ISREG(found.st_mode):
                    msg = f"{path} is no regular file"
                    raise FileTrouble(msg)
                data = stream.read(READ_BYTES + 1)
        if len(data) > READ_BYTES:
            msg = (
                f"{path} is larger than {READ_BYTES // 1_000_000} MB; use grep, or bash with sed -n"
            )
            raise FileTrouble(msg)
        if b"\0" in data[:8192]:
            msg = f"{path} is binary, {len(data)} bytes"
            raise FileTrouble(msg)
        return data.decode("utf-8", "surrogateescape")

    def _put(self, target: Path, data: bytes) -> None:
        beside = f".{secrets.token_hex(6)}.t"
        with self._parent(target, make=True) as (folder, name):
            mode = _mode_of(name, folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with open(os.open(beside, flags, 0o666, dir_fd=folder), "wb") as stream:
                    stream.write(data)
                    if mode is not None:
                        os.fchmod(stream.fileno(), mode)
                os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError as error:
                _remove(beside, folder)
                msg = f"{target}: {error.strerror}"
                raise FileTrouble(msg) from error

    @contextmanager
    def _parent(self, target: Path, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The descriptor of the target's folder, reached from its root without a link, and its name."""
        allowed = self._roots if make else (*self._roots, *self._shown)
        root = next(root for root in allowed if target.is_relative_to(root))
        parts = target.relative_to(root).parts
        if not parts:
            msg = f"{target} is a folder"
            raise FileTrouble(msg)
        try:
            at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            msg = f"{root}: {error.strerror}"
            raise FileTrouble(msg) from error
        try:
            for part in parts[:-1]:
                below = _enter(part, at, target, make=make)
                os.close(at)
                at = below
            yield at, parts[-1]
        finally:
            os.close(at)


def _enter(name: str, folder: int, target: Path, *, make: bool) -> int:
    try:
        if make:
            try:
                os.mkdir(name, dir_fd=folder)
            except FileExistsError:
                pass
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        msg = f"{target}: {name}: {error.strerror}"
        raise FileTrouble(msg) from error


def _mode_of(name: str, folder: int) -> int | None:
    """Of the file that will be replaced; only a regular one is."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        msg = f"{name} is no regular file"
        raise FileTrouble(msg)
    return stat.S_IMODE(found.st_mode)


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return

"""Owns the git worktree of a task: made, taken up again, committed, removed; nothing is merged or pushed.

Each task has its own branch and folder below `<log_dir>/work/`, and a record of both beside it. A run that
was cut off leaves its work where it is, and the next run of the same task goes on there. Only what git
ignores is thrown away with a worktree, and only when its branch holds all the rest.
"""

import os
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakepit.core.names import stem
from snakepit.core.result import authored
from snakepit.errors import AgentError, SnakepitError
from snakepit.pool.statefile import read_state, write_state
from snakepit.system import git

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config
    from snakepit.store.base import Claim

BRANCH = "snakepit/"
INCLUDE = ".worktreeinclude"
INCLUDED_MOST = 1_000_000_000  # bytes
STAT_LINES = 20
UNCHANGED = "No file was changed."
NAMES = 1000  # tasks of one name
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class Workspace(NamedTuple):
    """`top` is the worktree, `cwd` the folder in it that fits the agent's; `base` a commit."""

    repo: Path
    top: Path
    cwd: Path
    branch: str
    base: str
    record: Path


def repository_of(folder: Path) -> Path | None:
    """The top of the work tree around it; None where there is none, or nothing was ever committed."""
    if shutil.which("git") is None or not folder.is_dir():
        return None
    top = git.line(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top and git.line(folder, "rev-parse", "--verify", "-q", "HEAD") else None


def prepare(config: "Config", claim: "Claim", agent: "Agent", cwd: Path) -> Workspace | None:
    """The task's own worktree, as its last run left it; None where the folder is in no repository.

    Idempotent: killed at any point, the next call goes on or begins anew. AgentError in git's words.
    """
    repo = repository_of(cwd)
    if repo is None:
        return None
    folder = config.log_dir / "work"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = _mark(repo, claim)
    wanted = claim.task.base or agent.base or "HEAD"
    for name in _names(claim.name):
        record = folder / f"{name}.json"
        branch = BRANCH + name
        found = read_state(record)
        is_own = (found.get("task"), found.get("mark")) == (claim.name, mark)
        if not is_own and (
            found or git.line(repo, "rev-parse", "--verify", "-q", f"refs/heads/{branch}")
        ):
            continue
        base = str(found["base"]) if is_own else _commit(repo, wanted)
        at = Workspace(repo, folder / name, _within(folder / name, repo, cwd), branch, base, record)
        told = {"task": claim.name, "mark": mark, "repo": str(repo), "branch": branch, "base": base}
        if not (is_own and found.get("ready") and _taken_up(at)):
            write_state(record, told)
            _make(at)
            write_state(record, {**told, "ready": True})
        at.cwd.mkdir(parents=True, exist_ok=True)
        return at
    msg = f"{NAMES} branches are named like the task {claim.name}"
    raise AgentError(msg, fix=f"delete old ones: git branch --list '{BRANCH}*'")


def finish(at: Workspace, title: str) -> str:
    """Commit what is there and tell of it in lines for the result; remove the worktree when it is held.

    A branch that is not the pool's gets no commit of ours, whatever the run switched to.
    """
    _take_back(at)
    head = _commit_all(at, title)
    lines = _told(at, head)
    if is_held(at):
        git.git(at.repo, "worktree", "remove", str(at.top), fails=(128,))
    if at.top.exists():
        lines.append(f"The worktree is kept: {at.top}")
    elif head == at.base:  # nothing was done: nobody needs a branch for it
        git.run(at.repo, "update-ref", "-d", f"refs/heads/{at.branch}", at.base, fails=(1, 128))
        return UNCHANGED
    return "\n".join(lines)


def commit_of(config: "Config", claim: "Claim") -> str:
    """For a run that settles its task itself, while it is still at work: what is there is committed, and
    told in lines for the result. "" where the task has no worktree."""
    at = _of_task(config, claim)
    if at is None:
        return ""
    try:
        _take_back(at, is_over=False)
        return "\n".join(_told(at, _commit_all(at, message(claim))))
    except SnakepitError as error:
        return f"The work is not committed: {error.message}. It lies in {at.top}"


def message(claim: "Claim") -> str:
    """What our commit of a task's work says."""
    title = claim.task.title or claim.name
    return f"{title}\n\nsnakepit task {claim.name}, attempt {claim.attempt}, by {claim.worker}\n"


def is_held(at: Workspace) -> bool:
    """Whether the branch has everything that git sees in the worktree."""
    status = git.git(at.top, "status", "--porcelain", "--untracked-files=all")
    _, outside = git.run(at.top, "rev-list", "--max-count=1", "HEAD", f"^refs/heads/{at.branch}")
    return not status.strip() and not outside.strip()


def forget(at: Workspace) -> None:
    """The pit has the result: the next task of this name is another one."""
    if not at.top.exists():
        at.record.unlink(missing_ok=True)


def unfinished(at: Workspace) -> str:
    """Where the work of a run lies that did not end well; "" where there is none."""
    try:
        _take_back(at)
        if is_held(at) and git.line(at.top, "rev-parse", "HEAD") == at.base:
            return ""
    except SnakepitError:
        pass
    return f"its work so far lies in {at.top} (branch {at.branch})"


def _of_task(config: "Config", claim: "Claim") -> Workspace | None:
    folder = config.log_dir / "work"
    for record in sorted(folder.glob("*.json")):
        found = read_state(record)
        top = record.with_suffix("")
        if found.get("task") != claim.name or not found.get("ready") or not top.is_dir():
            continue
        repo = Path(str(found["repo"]))
        if found.get("mark") == _mark(repo, claim):
            return Workspace(repo, top, top, str(found["branch"]), str(found["base"]), record)
    return None


def _mark(repo: Path, claim: "Claim") -> str:
    """The same for all runs of one task in one repository."""
    return sha256(b"\0".join((os.fsencode(repo), authored(claim.text)))).hexdigest()[:16]


def _commit_all(at: Workspace, title: str) -> str:
    """What is there becomes a commit where the branch is the pool's; the worktree's head."""
    if not git.line(at.top, "symbolic-ref", "-q", "--short", "HEAD").startswith(BRANCH):
        git.git(at.top, "checkout", "-q", "--detach")
    git.git(at.top, "add", "--all")
    if git.run(at.top, "diff", "--cached", "--quiet", fails=(1,))[0]:
        git.git(
            at.top, *_author(at.top), "commit", "-q", "--no-verify", "-F", "-", stdin=title.encode()
        )
    return git.line(at.top, "rev-parse", "HEAD")


def _told(at: Workspace, head: str) -> list[str]:
    if head == at.base:
        return [f"Branch `{at.branch}`: no change."]
    stat = git.line(at.top, "diff", "--stat=100", f"{at.base}..{head}").splitlines()
    if len(stat) > STAT_LINES:
        stat = [*stat[: STAT_LINES - 1], f" … {len(stat) - STAT_LINES} more", stat[-1]]
    where = git.line(at.top, "symbolic-ref", "-q", "--short", "HEAD") or "no branch"
    elsewhere = "" if where == at.branch else f" (left on {where})"
    return [
        f"Branch `{at.branch}`{elsewhere}, commit `{head[:12]}`, from `{at.base[:12]}`:",
        "",
        "```",
        *stat,
        "```",
        "",
    ]


def _make(at: Workspace) -> None:
    """Nobody has worked here yet, or nothing is left of it but the branch."""
    git.git(at.repo, "worktree", "prune")
    if at.top.exists():
        git.git(at.repo, "worktree", "remove", "--force", "--force", str(at.top), fails=(128,))
        shutil.rmtree(at.top, ignore_errors=True)
        git.git(at.repo, "worktree", "prune")
    if git.line(at.repo, "rev-parse", "--verify", "-q", f"refs/heads/{at.branch}"):
        git.git(at.repo, "worktree", "add", "-q", str(at.top), at.branch)
    else:
        git.git(
            at.repo, "worktree", "add", "-q", "--no-track", "-b", at.branch, str(at.top), at.base
        )
    _include(at)


def _include(at: Workspace) -> None:
    """Copy what .worktreeinclude names and git ignores: the rest would be committed. No link is followed."""
    patterns = at.repo / INCLUDE
    if patterns.is_symlink() or not patterns.is_file():
        return
    told = git.git(at.repo, "ls-files", "--others", "--ignored", f"--exclude-from={INCLUDE}", "-z")
    if told:
        told = git.git(at.repo, "check-ignore", "-z", "--stdin", stdin=told, fails=(1,))
    left = INCLUDED_MOST
    for name in filter(None, told.split(b"\0")):
        source, target = at.repo / os.fsdecode(name), at.top / os.fsdecode(name)
        if source.is_symlink() or not source.is_file() or at.top.parent in source.parents:
            continue
        if os.path.lexists(target) or not target.parent.resolve().is_relative_to(at.top.resolve()):
            continue  # the branch has something else there
        left -= source.stat().st_size
        if left < 0:
            msg = f"{INCLUDE} in {at.repo} names more than {INCLUDED_MOST:,} bytes"
            raise AgentError(msg, fix="name less there")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def _taken_up(at: Workspace) -> bool:
    """Whether the next run can go on there; what git does not know any more is put aside, not removed."""
    if not at.top.is_dir():
        return False
    try:
        _take_back(at)
    except AgentError:
        at.top.rename(at.top.with_name(f"{at.top.name}.lost-{os.urandom(3).hex()}"))
        return False
    return True


def _take_back(at: Workspace, *, is_over: bool = True) -> None:
    """Make git mean this worktree in it, and nothing else. Idempotent; `is_over`: nothing of the run is alive.

    A run may have removed or bent its `.git`: git would then speak of the repository around it, and what we
    do there would be done to the person's own branch. A git that was killed leaves its lock.
    """
    link = at.top / ".git"
    own = _record_in_git(at) if at.top.is_dir() else None
    if own is None or (link.is_dir() and not link.is_symlink()):
        msg = f"{at.top} is no worktree of {at.repo} any more"
        raise AgentError(msg, fix="what the run made lies there; take it over by hand")
    words = f"gitdir: {own}\n".encode()
    if link.is_symlink() or not link.is_file() or link.read_bytes() != words:
        link.unlink(missing_ok=True)
        link.write_bytes(words)
    if is_over:
        (own / "index.lock").unlink(missing_ok=True)


def _record_in_git(at: Workspace) -> Path | None:
    """The folder that the repository keeps for this worktree."""
    common = git.line(at.repo, "rev-parse", "--git-common-dir")
    for file in (at.repo / common / "worktrees").resolve().glob("*/gitdir"):
        try:
            place = Path(os.fsdecode(file.read_bytes().rstrip(b"\n")))
        except OSError:
            continue
        if place.parent.resolve() == at.top.resolve():
            return file.parent
    return None


def _commit(repo: Path, wanted: str) -> str:
    found = git.line(
        repo, "rev-parse", "--verify", "-q", "--end-of-options", f"{wanted}^{{commit}}"
    )
    if not found:
        msg = f"there is no commit `{wanted}` in {repo}"
        raise AgentError(msg, fix="name a branch, a tag or a commit in `base`")
    return found.splitlines()[-1]


def _within(top: Path, repo: Path, cwd: Path) -> Path:
    real = cwd.resolve()
    return top / real.relative_to(repo.resolve()) if real.is_relative_to(repo.resolve()) else top


def _author(folder: Path) -> tuple[str, ...]:
    has_name = git.line(folder, "config", "user.name") and git.line(folder, "config", "user.email")
    return () if has_name else ("-c", "user.name=snakepit", "-c", "user.email=snakepit@localhost")


def _names(task: str) -> Iterator[str]:
    name = _UNSAFE.sub("-", stem(task)).strip("-")[:80] or "task"
    yield name
    yield from (f"{name}-{number}" for number in range(2, NAMES))

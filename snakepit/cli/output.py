"""Owns how answers look: JSON, plain lines, tables on a terminal, and errors on stderr."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from snakepit.errors import SnakepitError

if TYPE_CHECKING:
    from pathlib import Path


def print_json(value: object) -> None:
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{printable(line)}\n")


def print_notice(line: str) -> None:
    sys.stderr.write(f"{printable(line)}\n")


def pass_on(number: int, said: bytes) -> None:
    """What another process of ours wrote to its stdout (1) or stderr (2), as it is."""
    stream = sys.stdout if number == 1 else sys.stderr
    stream.flush()
    stream.buffer.write(said)
    stream.buffer.flush()


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """On a terminal a table with its header; in a pipe tab-separated rows without it."""
    if not sys.stdout.isatty():
        print_lines("\t".join(row) for row in rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(table)


def printable(line: str) -> str:
    """Without control characters: a task's text must not drive the reader's terminal."""
    if line.isprintable():
        return line
    return "".join(_escaped(char) if _drives_terminal(char) else char for char in line)


def _drives_terminal(char: str) -> bool:
    code = ord(char)
    return (
        (code < 0x20 and char != "\t")
        or 0x7F <= code < 0xA0
        or 0x202A <= code <= 0x202E
        or 0x2066 <= code <= 0x2069
        or 0xD800 <= code <= 0xDFFF
    )


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"%{code - 0xDC00:02X}"
    return f"%{code:02X}" if code < 0x100 else f"\\u{code:04x}"


def show_error(error: SnakepitError, *, as_json: bool = False, debug: bool = False) -> None:
    """What, where and why on stderr, then the fix; under --json the same as an object on stdout."""
    if debug:
        import traceback

        traceback.print_exception(error)
    if as_json:
        print_json(
            {"error": {"message": error.message, "fix": error.fix, "exit_code": error.exit_code}}
        )
    for line in f"error: {error.message}".splitlines():
        sys.stderr.write(printable(line) + "\n")
    if error.fix:
        sys.stderr.write(f"  fix: {error.fix}\n")


def show_internal_error(error: Exception, *, log_dir: "Path | None", debug: bool) -> None:
    """One line, and the trace into a file; the trace itself only under --debug."""
    import traceback

    from snakepit.core.redact import Redactor

    clean = Redactor(()).clean
    trace = clean("".join(traceback.format_exception(error)))
    if debug:
        sys.stderr.write(trace)
    where = _keep_trace(trace, log_dir)
    said = printable(clean(f"{type(error).__name__}: {error}"))
    sys.stderr.write(f"internal error: {said}\n  trace: {where}\n")


def _keep_trace(trace: str, log_dir: "Path | None") -> str:
    import os
    import tempfile

    folder = str(log_dir) if log_dir is not None and log_dir.is_dir() else None
    try:
        descriptor, path = tempfile.mkstemp(prefix="trace-", suffix=".txt", dir=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(trace)
    except OSError as exc:
        return f"not written: {exc}"
    return path

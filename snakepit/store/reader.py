"""Owns turning a task file's bytes into a Task: the flat fast path, else YAML."""

from snakepit.core.flat import parse_flat
from snakepit.core.header import key_spans, split
from snakepit.core.task import Task, make_task
from snakepit.errors import TaskError


def read_task(name: str, data: bytes) -> Task:
    """Raises TaskError with the line; a file that is not text is told so."""
    header, body, body_at = split(data)
    known: dict[str, object] | None = {}
    if header:
        known = parse_flat(header)
        if known is None:
            known = read_header(header)
    text = _text(data, body, body_at)
    try:
        return make_task(name, known or {}, text)
    except TaskError as problem:
        line = _line_of(header or b"", problem.key)
        raise TaskError(problem.message, line=line, key=problem.key, fix=problem.fix) from None


def read_header(header: bytes) -> dict[str, object]:
    """The keys of front matter by YAML alone; lines in errors count from the file's own first."""
    from snakepit.store import yamlheader

    return yamlheader.read_header(header)


def _text(data: bytes, body: bytes, body_at: int) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, body_at + problem.start) + 1
        what = "the file is not UTF-8 text"
        raise TaskError(what, line=line, fix="save it as UTF-8") from None
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        what = "the file is binary, not text"
        raise TaskError(what, line=line, fix="feed markdown")
    return text


def _line_of(header: bytes, key: str) -> int:
    text = header.decode("utf-8", "replace")
    starts = [span.start for span in key_spans(text) if span.key == key]
    return text.count("\n", 0, starts[0]) + 2 if starts else 0

"""Owns front matter that is not flat: YAML without its bad half.

YAML here has no tags, anchors, aliases or merge keys, is at most 8 deep; timestamps stay text. It is a
module of its own because it is rarely needed, and costs a worker two megabytes.
"""

from typing import TYPE_CHECKING, Any

import yaml

from snakepit.core.header import key_spans
from snakepit.errors import TaskError

if TYPE_CHECKING:
    from yaml import SafeLoader as Loader
else:
    Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEPTH = 8
_FORM = "write one `key: value` a line, each key at the beginning of its line"


class _TaskLoader(Loader):
    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's own way to configure a class)
        first: [
            (tag, regexp) for tag, regexp in resolvers if not tag.endswith((":timestamp", ":merge"))
        ]
        for first, resolvers in Loader.yaml_implicit_resolvers.items()
    }


def read_header(header: bytes) -> dict[str, object]:
    """The keys of front matter by YAML alone; lines in errors count from the file's own first."""
    try:
        text = header.decode()
    except UnicodeDecodeError as problem:
        line = header.count(b"\n", 0, problem.start) + 2
        what = "the front matter is not UTF-8"
        raise TaskError(what, line=line, fix="save it as UTF-8") from None
    try:
        _check_events(text)
        loaded = yaml.load(text, Loader=_TaskLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        what = f"the front matter is not YAML: {problem.problem or problem.context}"
        raise TaskError(what, line=mark.line + 2 if mark else 0, fix=_FORM) from None
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        what = f"the front matter is not YAML: {str(problem).splitlines()[0][:200]}"
        raise TaskError(what, fix=_FORM) from None
    return _mapping(text, loaded)


def _mapping(text: str, loaded: object) -> dict[str, object]:
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        what = "the front matter is not a list of `key: value` lines"
        raise TaskError(what, line=2, fix=_FORM)
    spans = key_spans(text)
    written = [span.key for span in spans]
    for key in loaded:
        if not isinstance(key, str):
            what = f"the key {key!r} is not text"
            raise TaskError(what, line=2, fix=f'write it in quotes: "{key}"')
    for index, span in enumerate(spans):
        if span.key in written[:index]:
            line = text.count("\n", 0, span.start) + 2
            what = f"the key `{span.key}` stands here a second time"
            raise TaskError(what, line=line, key=span.key, fix="keep one of the two")
    if written != list(loaded):
        what = "the front matter has a form that cannot be edited"
        raise TaskError(what, line=2, fix=_FORM)
    return loaded


def _check_events(text: str) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=_TaskLoader):
        refused = _refused(event)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1 or event.explicit or event.version or event.tags:
                refused = "a second document or a directive"
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH:
                refused = f"more than {DEPTH} levels of nesting"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if refused:
            mark: Any = event.start_mark
            what = f"the front matter has {refused}, which a task may not have"
            raise TaskError(what, line=mark.line + 2, fix=_FORM)


def _refused(event: Any) -> str:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "an anchor or alias"
    if getattr(event, "tag", None):
        return "a tag"
    return ""

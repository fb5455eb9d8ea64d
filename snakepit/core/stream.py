"""Owns reading a program's structured output, line by line, by rules that are data; it starts nothing.

A rule looks at one JSON object. `when` names paths and what must stand there; every rule that fits takes
fields and may show lines, in the order of the rules. `each` names a list: the rule is then tried for each
of its elements, and a path that begins with a dot starts from the element.

Values of `when`: "*" something is there, "?" more than "" / 0 / false is, "!" no more than that, any other text is a
regular expression that must match all of the text found, anything else must be equal.
Values of `take`: a path; `a | b` the first that is there; `a + b`, `- b`, `* 2`, `/ 1000` arithmetic, what
is missing counting as 0; `=word` the word itself (`=true`, `=false` and numbers as such, `=` empties). A
field with a `+` in front is added to, any other is replaced.
Fields: session_id text error is_error kind until scope model cost_usd ended usage.input usage.output
usage.cache_read usage.cache_write, and details.ANYTHING. Numbers may be text, as "1.2k" or "$0.03".

Of plain text (form "text") each line is an object with `line`; the named groups of a regular expression that
matched it are what a path with a dot in front finds. A line belongs to the answer unless a rule took `text`.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple

from snakepit.core.outcome import FAILED, INTERRUPTED, OK, Outcome
from snakepit.core.trouble import Trouble, TroubleRule, classify
from snakepit.core.usage import Usage

JSONL = "jsonl"
TEXT = "text"
LOOSE_LINES = 40  # lines outside the structure that are kept for the reason of a failure
SHOWN = 2000  # characters of one shown value
LAST_LINES = 5  # of what nobody understood, for a person
REASON = 500
MOST = 1e15  # a larger number is none: nobody used as much, and sums of them overflow

_PLACE = re.compile(r"\{([\w.$-]*)(?::(\d+))?\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")
_ID = re.compile(r"[^\s-]\S{0,499}")
_SIGNS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else 0.0,
}


def _bounded(text: str) -> float | None:
    value = float(text)
    return value if -MOST <= value <= MOST else None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= 15 else None


_DECODER = json.JSONDecoder(
    parse_float=_bounded, parse_int=_whole, parse_constant=lambda _word: None
)


class StreamRule(NamedTuple):
    """One rule; `show` is a line with `{path}` or `{path:80}` (on one line, cut) in it."""

    when: Mapping[str, object]
    take: Mapping[str, str] = {}
    show: str = ""
    each: str = ""


class Reader:
    """Folds the lines of one run. `must_end`: without a rule that took `ended` the run was cut off."""

    def __init__(
        self, rules: Sequence[StreamRule], *, form: str = JSONL, must_end: bool = False
    ) -> None:
        self._rules = rules
        self._form = form
        self._must_end = must_end
        self._fields: dict[str, object] = {}
        self._loose: deque[str] = deque(maxlen=LOOSE_LINES)

    @property
    def session_id(self) -> str:
        """ "" for what could not be an argument of the next run, or would be an option there."""
        said = self._said("session_id")
        return said if _ID.fullmatch(said) and said.isprintable() else ""

    @property
    def fields(self) -> Mapping[str, object]:
        return self._fields

    def feed(self, line: bytes) -> list[str]:
        """The lines to show for it. What is no JSON is shown as it is."""
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if self._form == TEXT:
            return self._feed_text(text)
        try:
            event = _DECODER.decode(text)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            if text.strip():
                self._loose.append(text)
            return [clean(text)] if text.strip() else []
        shown: list[str] = []
        for rule in self._rules:
            for element in _elements(event, rule.each):
                if _fits(rule, event, element):
                    self._take(rule, event, element)
                    shown += _shown(rule.show, event, element)
        return shown

    def _feed_text(self, line: str) -> list[str]:
        """A line is shown as it is."""
        event = {"line": line}
        is_answer = True
        for rule in self._rules:
            if _fits(rule, event, None):
                pattern = rule.when.get("line")
                found = re.fullmatch(pattern, line) if isinstance(pattern, str) else None
                self._take(rule, event, found.groupdict() if found else None)
                is_answer &= not {"text", "+text"} & rule.take.keys()
        if is_answer:
            self._fields["text"] = f"{self._said('text')}{line}\n"
        self._loose.append(line)
        return [clean(line)]

    def _take(self, rule: StreamRule, event: object, element: object) -> None:
        for field, source in rule.take.items():
            value = _value(source, event, element)
            if value is None:
                continue
            name = field.removeprefix("+")
            if name.startswith("usage.") or name == "cost_usd":
                value = _number(value)
            self._fields[name] = value if name == field else _sum(self._fields.get(name), value)

    def outcome(
        self,
        exit_status: int | None,
        stderr: str = "",
        *,
        trouble: Iterable[TroubleRule] = (),
        now: float,
        zone_of: Callable[[str], tzinfo | None],
    ) -> Outcome:
        """`exit_status` as subprocess has it: negative for a signal, None where nobody knows."""
        rules = tuple(trouble)
        words = self._words(stderr)

        def read(text: str) -> Trouble | None:
            return classify(text, rules, now=now, zone_of=zone_of)

        if self._is_fine(exit_status):
            return self._made(OK, "", None)
        found = None
        for text in words:
            found = next(filter(None, map(read, [*text.splitlines(), text])), None)
            if found is not None:
                break
        kind = self._said("kind") or (found.kind if found else "")
        if not kind:
            cut = exit_status is not None and exit_status < 0 and not self._said("error")
            kind = INTERRUPTED if cut else FAILED
        told, *loose = words
        tail = "\n".join("\n".join(filter(None, loose)).splitlines()[-LAST_LINES:])
        reason = told or (found.said if found else tail)
        return self._made(kind, reason or _ending(exit_status), found)

    def _is_fine(self, exit_status: int | None) -> bool:
        told = self._said("kind")
        if self._fields.get("is_error") or self._said("error") or (told and told != OK):
            return False
        if self._must_end and not self._fields.get("ended"):
            return False
        return exit_status in (0, None)

    def _words(self, stderr: str) -> list[str]:
        """What may tell why it failed, the most trusted first; never an answer that went well."""
        answer = self._said("text") if self._fields.get("is_error") else ""
        tail = "\n".join(stderr.splitlines()[-LOOSE_LINES:])
        return [self._said("error") or answer, "\n".join(self._loose), tail]

    def _made(self, kind: str, reason: str, found: Trouble | None) -> Outcome:
        until = self._fields.get("until")
        if not isinstance(until, int | float) or isinstance(until, bool) or until <= 0:
            until = found.until if found else None
        details = {
            name.removeprefix("details."): value
            for name, value in self._fields.items()
            if name.startswith("details.")
        }
        if until is not None and until == self._fields.get("until"):
            details["until_source"] = "structured"
        return Outcome(
            kind=kind,
            text=self._said("text").strip(),
            reason=" ".join(clean(reason).split())[:REASON],
            until=until,
            scope=self._said("scope") or (found.scope if found else ""),
            usage=self._usage(),
            session_id=self.session_id,
            details=details,
        )

    def _usage(self) -> Usage:
        def count(name: str) -> int:
            value = self._fields.get(f"usage.{name}")
            return max(int(value), 0) if isinstance(value, int | float) else 0

        cost = self._fields.get("cost_usd")
        return Usage(
            input=count("input"),
            output=count("output"),
            cache_read=count("cache_read"),
            cache_write=count("cache_write"),
            cost_usd=float(cost) if isinstance(cost, int | float) else None,
            model=self._said("model"),
        )

    def _said(self, field: str) -> str:
        value = self._fields.get(field)
        if value is None or value is False:
            return ""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fold(rules: Sequence[StreamRule], *, form: str = JSONL, must_end: bool | None = None) -> Reader:
    """A reader for one run; a run must end by itself where any rule can see an end."""
    if must_end is None:
        must_end = any("ended" in rule.take for rule in rules)
    return Reader(rules, form=form, must_end=must_end)


def look_up(path: str, event: object, element: object = None) -> object:
    """What stands at a dotted path, None where nothing does; numbers count into lists."""
    found = element if path.startswith(".") else event
    for part in filter(None, path.split(".")):
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and part.lstrip("-").isdecimal():
            found = found[int(part)] if -len(found) <= int(part) < len(found) else None
        else:
            return None
    return found


def clean(text: str) -> str:
    """Without control characters: what a model writes must not drive the terminal of who looks."""
    return _CONTROL.sub("", text)


def _elements(event: object, each: str) -> Sequence[object]:
    if not each:
        return (None,)
    found = look_up(each, event)
    return found if isinstance(found, list) else ()


def _fits(rule: StreamRule, event: object, element: object) -> bool:
    return all(_is_as(look_up(path, event, element), wanted) for path, wanted in rule.when.items())


def _is_as(found: object, wanted: object) -> bool:
    if wanted == "*":
        return found is not None
    if wanted in ("!", "?"):
        return bool(found) == (wanted == "?")
    if isinstance(wanted, str):
        return isinstance(found, str) and re.fullmatch(wanted, found, re.DOTALL) is not None
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _value(source: str, event: object, element: object) -> object:
    if source.startswith("="):
        return _literal(source[1:])
    for choice in source.split(" | "):
        first, *rest = choice.split()
        value = look_up(first, event, element)
        if rest:
            value = _computed(value, rest, event, element)
        if value is not None:
            return value
    return None


def _literal(word: str) -> object:
    try:
        return json.loads(word) if word else ""
    except ValueError:
        return word


def _computed(first: object, rest: Sequence[str], event: object, element: object) -> object:
    if not isinstance(first, int | float):
        return None
    value: float = first
    for sign, word in zip(rest[::2], rest[1::2], strict=False):
        other = float(word) if word[0].isdecimal() else look_up(word, event, element)
        value = _SIGNS[sign](value, other if isinstance(other, int | float) else 0)
    return value


def _number(value: object) -> object:
    """`1.2k`, `$0.03` and `1,024` as numbers; anything else as it is."""
    found = (
        re.fullmatch(r"\s*\$?\s*([\d,]*\.?\d+)\s*([kKmM]?)\s*", value)
        if isinstance(value, str)
        else None
    )
    if found is None:
        return value
    number = float(found[1].replace(",", "")) * {"": 1, "k": 1e3, "m": 1e6}[found[2].lower()]
    return number if number <= MOST else None


def _sum(old: object, new: object) -> object:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old + new
    return old + new if isinstance(old, str) and isinstance(new, str) else new


def _shown(template: str, event: object, element: object) -> list[str]:
    if not template:
        return []
    is_empty = bool(_PLACE.search(template))

    def fill(found: "re.Match[str]") -> str:
        nonlocal is_empty
        value = look_up(found[1], event, element)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        text = "" if value is None else clean(text)
        is_empty = is_empty and not text.strip()
        if not found[2]:
            return text[:SHOWN]
        line, width = " ".join(text.split()), int(found[2])
        return line if len(line) <= width else f"{line[: width - 1]}…"

    text = _PLACE.sub(fill, template)
    return [] if is_empty else text.rstrip().split("\n")


def _ending(exit_status: int | None) -> str:
    if exit_status is None or exit_status == 0:
        return "the program ended without saying how"
    return f"signal {-exit_status}" if exit_status < 0 else f"exit status {exit_status}"

"""Owns what a question on a screen is: its options, the chosen one, the next key; presses none.

A menu is known by its shape: one row bears a mark, rows beside it are numbered or stand in the same
column. So a question that no table knows is still a question. The answer is a label: which key
comes next follows from the row under the mark, as it is now, never from a count.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

MARKS = "❯›▸"  # before a chosen row, also where rows have no numbers
NUMBERED_MARKS = "●▶►→>*"
BORDERS = "│┃|║ \t"
TICKS = "✔✓ "  # before the option that is in use
MOST_BETWEEN = 3  # rows of description, rules or nothing between two options
MOST_BELOW = 14  # rows below the last option: a preview, the keys
CONFIRM, UP, DOWN = "Enter", "Up", "Down"

_NUMBERED = re.compile(r"(?P<number>\d{1,2})[.)]\s+(?P<label>\S.*)")
_COLUMNS = re.compile(r"\s{2,}")


class DialogTable(Protocol):
    """A question that a backend's table knows; see config.program.Dialog."""

    @property
    def name(self) -> str: ...
    @property
    def match(self) -> Sequence[str]: ...
    @property
    def needs(self) -> str: ...
    @property
    def choose(self) -> str: ...
    @property
    def mark(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def says(self) -> str: ...


class Option(NamedTuple):
    """`wrapped`: the label with what stands below it, for labels that did not fit their row."""

    row: int
    label: str
    wrapped: str
    chosen: bool


class Menu(NamedTuple):
    options: tuple[Option, ...]

    @property
    def chosen(self) -> int | None:
        """The index of the one row under the mark; None where it cannot be told."""
        found = [index for index, option in enumerate(self.options) if option.chosen]
        return found[0] if len(found) == 1 else None

    def index_of(self, label: str) -> int | None:
        """The one option whose whole label the pattern matches."""
        pattern = compiled(label)
        found = [
            index
            for index, option in enumerate(self.options)
            if pattern.fullmatch(option.label) or pattern.fullmatch(option.wrapped)
        ]
        return found[0] if len(found) == 1 else None


class Question(NamedTuple):
    """`table` is None for a question that nobody has described: only a person may answer it."""

    table: DialogTable | None
    menu: Menu | None

    @property
    def name(self) -> str:
        return self.table.name if self.table else "unknown"

    @property
    def says(self) -> str:
        if self.table and self.table.says:
            return self.table.says
        labels = [option.label for option in self.menu.options] if self.menu else []
        return f"it asks: {' / '.join(labels)[:120]}" if labels else "it asks a question"


def question_on(
    rows: Sequence[str], tables: Iterable[DialogTable], confirm: str
) -> Question | None:
    """What the rows ask; they hold no conversation with an open line to type on below it."""
    tables = tuple(tables)
    text = "\n".join(rows)
    menu = find_menu(rows, "".join(table.mark for table in tables))
    for table in tables:
        if all(compiled(pattern).search(text) for pattern in table.match):
            if table.choose and menu is None:
                continue  # its words without its rows: only said, or not yet drawn
            return Question(table, menu)
    if menu is not None or (confirm and compiled(confirm).search(text)):
        return Question(None, menu)
    return None


def next_key(question: Question) -> str | None:
    """The one key towards the right answer as the screen stands; None where a person must answer."""
    table, menu = question.table, question.menu
    if table is None:
        return None
    if not table.choose:
        return table.key or None
    if menu is None or menu.chosen is None:
        return None
    wanted = menu.index_of(table.choose)
    if wanted is None:
        return None
    if wanted == menu.chosen:
        return CONFIRM
    return DOWN if wanted > menu.chosen else UP


def may_answer(table: DialogTable | None, allowed: Mapping[str, bool]) -> bool:
    """Whether the config has consented to what the question needs; a person's is never ours."""
    return table is not None and (table.needs == "nothing" or allowed.get(table.needs, False))


def find_menu(rows: Sequence[str], marks: str = "") -> Menu | None:
    """The lowest menu of the rows; None when there is none, or when much stands below it."""
    bare = [_Row.of(row) for row in rows]
    last = max((index for index, row in enumerate(bare) if row.text), default=-1)
    for index in range(last, -1, -1):
        begun = _marked(bare[index], marks)
        if begun is None:
            continue
        menu = _around(bare, index, begun)
        if menu is not None:
            return menu if last - menu.options[-1].row <= MOST_BELOW else None
    return None


class _Row(NamedTuple):
    """A row without the border of its box; `at` is the column where its text begins."""

    text: str
    at: int

    @classmethod
    def of(cls, row: str) -> "_Row":
        plain = row.replace("\u00a0", " ").rstrip(BORDERS)
        text = plain.lstrip(BORDERS)
        return cls(text, len(plain) - len(text))


class _Label(NamedTuple):
    number: int | None
    text: str
    at: int  # column of the number, or of the label where there is none


def _marked(row: _Row, marks: str) -> _Label | None:
    """The label of a row under a mark."""
    if len(row.text) < 3 or row.text[0] not in MARKS + NUMBERED_MARKS + marks:
        return None
    label = _label(_Row(row.text[1:].lstrip(), row.at + len(row.text) - len(row.text[1:].lstrip())))
    if row.text[1] not in " \t" or (label.number is None and row.text[0] not in MARKS):
        return None
    return label


def _label(row: _Row) -> _Label:
    found = _NUMBERED.fullmatch(row.text)
    if found:
        return _Label(int(found["number"]), found["label"], row.at)
    label = row.text.lstrip(TICKS)
    return _Label(None, label, row.at + len(row.text) - len(label))


def _around(rows: Sequence[_Row], index: int, begun: _Label) -> Menu | None:
    """The menu to which the marked row belongs; a marked row alone is none."""
    before = _walk(rows, index, begun, -1)
    after = _walk(rows, index, begun, 1)
    found = [*reversed(before), (index, begun, True), *after]
    if len(found) < 2:
        return None
    options = []
    for place, (row, label, chosen) in enumerate(found):
        end = found[place + 1][0] if place + 1 < len(found) else row + 1
        more = [line.text for line in rows[row + 1 : end] if line.text and line.at > label.at]
        options.append(
            Option(
                row=row,
                label=_COLUMNS.split(label.text)[0].strip(),
                wrapped=" ".join([label.text, *more]),
                chosen=chosen,
            )
        )
    return Menu(tuple(options))


def _walk(
    rows: Sequence[_Row], index: int, begun: _Label, step: int
) -> list[tuple[int, _Label, bool]]:
    """The options on one side of the marked row, the nearest first."""
    found: list[tuple[int, _Label, bool]] = []
    number, at, between = begun.number, begun.at, 0
    row = index + step
    while 0 <= row < len(rows) and between <= MOST_BETWEEN:
        label = _sibling(rows[row], number, at, step)
        if label is not None:
            found.append((row, label, False))
            number, between = label.number, 0
        elif begun.number is None:
            break  # without numbers only rows side by side belong together
        else:
            between += 1
        row += step
    return found


def _sibling(row: _Row, number: int | None, at: int, step: int) -> _Label | None:
    """The next option: the next number, or the same column where there are no numbers."""
    if not row.text:
        return None
    marked = _marked(row, "")
    label = marked or _label(row)
    if number is not None:
        return label if label.number == number + step and abs(label.at - at) <= 2 else None
    return label if label.number is None and label.at == at and marked is None else None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> "re.Pattern[str]":
    return re.compile(pattern, re.MULTILINE)

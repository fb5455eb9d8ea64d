"""Owns the one question that lists all panes, and the reading of its answer."""

import os

from snakepit.session.base import Pane

FIELDS = (
    "pane_id",
    "session_name",
    "pane_pid",
    "pane_dead",
    "pane_dead_status",
    "pane_dead_signal",
    "session_attached",
    "@snakepit_driven",
    "window_width",
    "window_height",
    "@snakepit",
    "pane_current_command",
    "pane_title",
)
SIGNALLED = 128  # a shell's exit status for signal n is 128 + n


class Question:
    """A format whose marks no program can guess: a title cannot forge another pane's row."""

    def __init__(self) -> None:
        token = os.urandom(6).hex()
        self._row, self._field = f"<{token}<", f">{token}>"
        self.format = self._row + self._field.join(f"#{{{name}}}" for name in FIELDS)

    def read(self, answer: str) -> list[Pane]:
        """Return our panes, one for each session; rows of panes that vanished are left out."""
        panes: dict[str, Pane] = {}
        for row in answer.split(self._row)[1:]:
            pane = _read_row(row.removesuffix("\n").split(self._field))
            if pane is not None:
                panes.setdefault(pane.session, pane)
        return list(panes.values())


def _read_row(fields: list[str]) -> Pane | None:
    if len(fields) != len(FIELDS):
        return None
    row = dict(zip(FIELDS, fields, strict=True))
    if not row["@snakepit"] or not row["session_name"] or not row["pane_pid"].isdigit():
        return None
    return Pane(
        session=row["session_name"],
        pane_id=row["pane_id"],
        pid=int(row["pane_pid"]),
        dead=row["pane_dead"] == "1",
        exit_status=_exit_status(row),
        command=row["pane_current_command"],
        title=row["pane_title"],
        attached=_number(row["session_attached"]),
        driven=row["@snakepit_driven"] == "1",
        columns=_number(row["window_width"]),
        rows=_number(row["window_height"]),
    )


def _exit_status(row: dict[str, str]) -> int | None:
    if row["pane_dead"] != "1":
        return None
    if row["pane_dead_signal"].isdigit():
        return SIGNALLED + int(row["pane_dead_signal"])
    return int(row["pane_dead_status"]) if row["pane_dead_status"].isdigit() else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0

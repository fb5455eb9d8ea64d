"""Owns docs/events.md, made from the table in snakepit/core/events.py: run it after a change there."""

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "events.md"

HEAD = """# Events

What happened in a pit, one JSON object a line, in `<log_dir>/events.jsonl`. This page is made from
`snakepit/core/events.py` by `scripts/docs_events.py`.

- Where a task stands, the folders say; events are the report of how it came there.
- Lines are only ever appended. `seq` counts 1, 2, 3 … without gaps over all files. At 10 MB the file becomes
  `events-000001.jsonl` and so on; none is deleted before `[events] keep_days` (30).
- A transition that nobody reported (a `mv` by hand, a crash) gets its event later, with `observed: true`.
- Known secret shapes and the values of passed-through keys are masked before a line is written.
- A field that does not apply is left out. Readers should ignore types and fields they do not know.
- A writer that could not get the lock within 50 ms leaves its line in `state/events.late`; whoever holds the lock
  next moves it over and numbers it, so its `ts` may be older than that of the line before.

`agents.py events` prints them, `--json` as they are, `-f` goes on.
"""


def table(heading: str, rows: Mapping[str, str]) -> str:
    lines = [f"| {heading} | meaning |", "|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {doc} |" for name, doc in rows.items()])


def document() -> str:
    from snakepit.core.events import COMMON, EVENTS

    parts = [HEAD, "## Fields of every event\n", table("field", COMMON), "\n## Types"]
    for name, event in EVENTS.items():
        parts.append(f"\n### {name}\n\n{event.doc}")
        if event.fields:
            parts.append("\n" + table("field", event.fields))
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(document(), encoding="utf-8")

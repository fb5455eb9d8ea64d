"""Owns the table of programs in docs/agents.md, made from agents/backends/*.toml: run it after a change there."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "agents.md"
HEAD = "| `backend` | tried with | ways | takes up a conversation | hooks | MCP |"
TABLE = re.compile(rf"^{re.escape(HEAD)}\n(?:\|.*\n)+", re.MULTILINE)
OURS = "program"


def table() -> str:
    from snakepit.config import tables

    whole = {name: tables.whole(name) for name in tables.names()}
    programs = [name for name, raw in whole.items() if raw.get("runner", OURS) == OURS]
    thinking = [name for name in programs if whole[name].get("thinks", True)]
    return "\n".join([HEAD, "|---|---|---|---|---|---|", *(_row(n, whole[n]) for n in thinking)])


def _row(name: str, raw: Mapping[str, object]) -> str:
    seen, ways = raw.get("seen"), raw.get("feeds")
    versions = " to ".join(dict.fromkeys(seen)) if isinstance(seen, list) else "nothing"
    words = ", ".join(ways) if isinstance(ways, list) else "self"
    has = [_has(raw, "task", "resume"), _given(raw, "hooks"), _given(raw, "mcp")]
    cells = [f"`{name}`", versions, words, *("yes" if one else "no" for one in has)]
    return f"| {' | '.join(cells)} |"


def _has(raw: Mapping[str, object], part: str, key: str) -> bool:
    found = raw.get(part)
    return isinstance(found, dict) and bool(found.get(key))


def _given(raw: Mapping[str, object], part: str) -> bool:
    return any(_has(raw, part, key) for key in ("argv", "env", "files"))


def document() -> str:
    return TABLE.sub(lambda _: f"{table()}\n", TARGET.read_text(encoding="utf-8"), count=1)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    TARGET.write_text(document(), encoding="utf-8")

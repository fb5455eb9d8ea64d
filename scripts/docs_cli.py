"""Owns docs/cli.md, made from the commands themselves: run it after a change of a verb or its help."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "cli.md"
WIDTH = 100
PROGRAM = "agents.py"

HEAD = """# Verbs

`agents.py` in a checkout and `snakepit` where it is installed are the same program. This page is made from the
commands by `scripts/docs_cli.py`.

- Every verb takes `--config FILE`. Without it `./agents.toml` counts; inside a snake the verbs for agents use the
  snake's own pit, whatever folder they are typed in.
- Every verb takes `--json` and then prints one object, whose keys stand under the verb. An error is the object
  `{"error": {"message", "fix", "exit_code"}}` on stdout; what a person reads goes to stderr.
- On a terminal a list is a table; in a pipe it is one line a row, with tabs and without a heading.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed: what, where, why and the fix stand on stderr |
| 2 | the command line is wrong |
| 3 | agents.toml is wrong or missing |
| 4 | a program or a property of the machine is missing |
| 5 | nothing to claim, or a wait timed out |
| 6 | the claim is no longer yours: stop working on it |
| 130 | ended by Ctrl-C |
"""


def document() -> str:
    import click

    from snakepit.cli.main import FAMILIES, app

    parts = [HEAD]
    top = click.Context(app, info_name=PROGRAM)
    for family, verbs in FAMILIES.items():
        parts.append(f"## {family}\n")
        for name in verbs:
            command = app.get_command(top, name)
            if command is not None:
                parts.extend(_described(command, name, top))
    return "\n".join(parts)


def _described(command: "click.Command", name: str, parent: "click.Context") -> Iterator[str]:
    import click

    ctx = click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    text = re.sub(r"[ \t]+$", "", command.get_help(ctx), flags=re.MULTILINE)
    yield f"### {ctx.command_path.removeprefix(PROGRAM).strip()}\n\n```text\n{text}\n```\n"
    if isinstance(command, click.Group):
        for inner, found in sorted(command.commands.items()):
            yield from _described(found, inner, ctx)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(document(), encoding="utf-8")

"""Owns the files made from the table of keys in snakepit/config/keys.py: run it after a change there."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def documents() -> dict[str, str]:
    from snakepit.config import reference, template
    from snakepit.config.schema import schema

    return {
        "docs/configuration.md": reference.page(),
        "docs/agents.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        "agents.toml": template.page(schema="docs/agents.schema.json"),
    }


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for name, text in documents().items():
        (ROOT / name).write_text(text, encoding="utf-8")

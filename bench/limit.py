"""Owns the limit: it compiles limit.c once and runs one mode in a fresh folder."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent / "limit.c"


def compile_limit(root: Path) -> Path | None:
    """Return the program, or nothing where no C compiler is."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        return None
    program = root / "limit"
    subprocess.run([compiler, "-O2", "-o", str(program), str(SOURCE)], check=True)
    return program


def run(program: Path, mode: str, n: int, procs: int) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="limit-", dir=program.parent))
    try:
        said = subprocess.run(
            [str(program), str(home), mode, str(n), str(procs)],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
    answer = json.loads(said.stdout)
    measure = "put" if mode.startswith("publish") else "drain"
    names = {"renames": "renames", "kill": "limit", "power": "limit"}
    return {
        "measure": measure,
        "peer": names.get(mode, "limit"),
        "durable": mode in ("power", "publish"),
        "backlog": n,
        "workers": procs,
        "doubles": 0,
        **{key: answer[key] for key in ("done", "missed", "secs", "per_s")},
    }

"""`scripts/install-clis` with an npm of our own: nothing is downloaded here."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "install-clis"
PACKAGE = "@openai/codex"
# Makes the command of the package; refuses the versions named in $GONE.
NPM = f"""\
#!/bin/sh
echo "$*" >>"$CALLS"
while [ $# -gt 1 ]; do
  [ "$1" = --prefix ] && folder=$2
  shift
done
case " $GONE " in *" ${{1##*@}} "*) echo "no version $1" >&2; exit 1 ;; esac
[ "${{1%@*}}" = "{PACKAGE}" ] || exit 1
mkdir -p "$folder/node_modules/.bin"
printf '#!/bin/sh\\necho %s\\n' "$1" >"$folder/node_modules/.bin/codex"
chmod +x "$folder/node_modules/.bin/codex"
"""


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "machine"
        self.clis = folder / "clis"
        self.calls = folder / "calls"
        self.bin.mkdir()
        self.calls.touch()
        self.place("npm", NPM)
        self.place("node", "#!/bin/sh\necho v22.0.0\n")

    def place(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def install(self, *names: str, gone: str = "") -> "subprocess.CompletedProcess[str]":
        system = f"{self.bin}:/usr/local/bin:/usr/bin:/bin"
        env = {
            "PATH": system,
            "SNAKEPIT_CLIS": str(self.clis),
            "CALLS": str(self.calls),
            "GONE": gone,
        }
        return subprocess.run(
            [SCRIPT, *names], env=env, capture_output=True, text=True, timeout=30, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_pinned_version_is_installed_once(machine: Machine) -> None:
    first = machine.install("codex")
    assert first.returncode == 0, first.stdout + first.stderr
    command = machine.clis / "bin" / "codex"
    pinned = subprocess.run([command], capture_output=True, text=True, check=True).stdout.strip()
    assert pinned.startswith(f"{PACKAGE}@0.")
    assert f"codex: {pinned}" in first.stdout
    second = machine.install("codex")
    assert (second.returncode, "there" in second.stdout) == (0, True)
    assert len(machine.calls.read_text().splitlines()) == 1


def test_what_an_ended_install_left_is_installed_anew(machine: Machine) -> None:
    assert machine.install("codex").returncode == 0
    (machine.clis / "codex" / "version").unlink()
    assert machine.install("codex").returncode == 0
    assert len(machine.calls.read_text().splitlines()) == 2


def test_a_version_that_is_gone_gives_the_newest_and_says_so(machine: Machine) -> None:
    done = machine.install("codex", gone="0.169.0")
    assert done.returncode == 0
    assert "gone: the newest instead" in done.stdout
    assert machine.calls.read_text().splitlines()[-1].endswith(f"{PACKAGE}@latest")


def test_one_that_cannot_be_had_is_named_with_the_reason(machine: Machine) -> None:
    done = machine.install("codex", gone="0.169.0 latest")
    assert done.returncode == 1
    assert f"codex: MISSING, {PACKAGE}@0.169.0: no version {PACKAGE}@latest" in done.stdout
    assert not os.path.lexists(machine.clis / "bin" / "codex")


def test_the_others_are_installed_when_one_is_missing(machine: Machine) -> None:
    done = machine.install("codex", "pi")
    assert done.returncode == 1
    assert "pi: MISSING" in done.stdout
    assert (machine.clis / "bin" / "codex").exists()


def test_a_name_that_nobody_knows_is_refused(machine: Machine) -> None:
    done = machine.install("kodex")
    assert done.returncode == 2
    assert "kodex" in done.stderr

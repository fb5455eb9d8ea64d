"""Owns the proof that the first run sets up, the next finds it done, and a cut-short one is repaired."""

import os
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.bootstrap.checkout import PYTHON, SYSTEM_PATH, UV, Checkout, folder_of_programs
from tests.support.wait import wait_for

pytestmark = pytest.mark.timeout(180)


def is_being_filled(checkout: Checkout) -> bool:
    """Some packages are there and some are not: the worst moment to be killed."""
    packages = list(checkout.root.glob(".venv/lib/python3*/site-packages/*/__init__.py"))
    return len(packages) > 1 and checkout.stamp.read_text() == "installing\n"


def end_group(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()


def path_with_uv(place: Path) -> str:
    """uv is a test requirement of this project, so it is there, whatever the machine has."""
    return folder_of_programs(place, uv=f'exec {UV} "$@"') + ":" + SYSTEM_PATH


def test_the_next_run_installs_nothing_wherever_it_stands(
    installed: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "click.py").write_text("raise SystemExit('shadowed')\n")
    (tmp_path / "snakepit").mkdir()
    (tmp_path / "snakepit" / "__init__.py").write_text("raise SystemExit('shadowed')\n")
    answer = installed.run("--version", cwd=tmp_path, env={"PIP_INDEX_URL": "http://127.0.0.1:9/"})
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("snakepit ")


def test_the_command_in_the_venv_is_the_same_program(installed: Checkout) -> None:
    command = str(installed.root / ".venv" / "bin" / "snakepit")
    assert installed.run("--version", command=(command,)) == installed.run("--version")


def test_every_requirement_is_met(installed: Checkout) -> None:
    pip = (str(installed.root / ".venv" / "bin" / "python"), "-I", "-m", "pip")
    answer = installed.run("check", command=pip)
    assert answer.code == 0, answer.out


def test_a_python_that_has_this_checkout_needs_no_venv(
    installed: Checkout, checkout: Checkout
) -> None:
    """As after `pip install -e .` in an environment of the person's own."""
    (packages,) = installed.root.glob(".venv/lib/python3*/site-packages")
    path_file = packages / "theirs.pth"
    path_file.write_text(f"{checkout.root}\n")
    python = str(installed.root / ".venv" / "bin" / "python")
    try:
        answer = checkout.run("--version", command=(python, str(checkout.root / "agents.py")))
    finally:
        path_file.unlink()
    assert (answer.code, answer.err) == (0, "")
    assert not (checkout.root / ".venv").exists()


def test_a_new_lock_is_installed_once(installed: Checkout) -> None:
    lock = installed.root / "requirements" / "base.txt"
    with lock.open("a") as text:
        text.write("# a later version of this lock\n")
    first = installed.run("--version")
    assert first.code == 0, first.err
    assert "making" not in first.err
    assert "requirements/base.txt" in first.err
    assert installed.run("--version").err == ""


def test_a_moved_checkout_repairs_itself(installed: Checkout, tmp_path: Path) -> None:
    elsewhere = tmp_path / "moved"
    installed.root.rename(elsewhere)
    moved = Checkout(root=elsewhere, home=installed.home, cache=installed.cache)
    try:
        answer = moved.run("--version", path=path_with_uv(tmp_path / "bin"))
    finally:
        elsewhere.rename(installed.root)
    assert answer.code == 0, answer.err
    assert f"making {elsewhere}/.venv" in answer.err
    assert installed.run("--version").code == 0


def test_an_install_killed_in_the_middle_is_built_anew(checkout: Checkout, index: None) -> None:
    process = checkout.start("--version")
    try:
        wait_for(lambda: is_being_filled(checkout), 120, "packages being installed")
    finally:
        end_group(process)
    assert checkout.stamp.read_text() == "installing\n"
    answer = checkout.run("--version")
    assert answer.code == 0, answer.err
    assert "making" in answer.err
    assert answer.out.startswith("snakepit ")


def test_the_orphan_of_a_killed_install_is_waited_for(checkout: Checkout, index: None) -> None:
    process = checkout.start("--version")
    try:
        config = checkout.root / ".venv" / "pyvenv.cfg"
        wait_for(config.exists, 60, "the child that makes the venv")
        process.kill()
        process.wait()
        answer = checkout.run("--version")
    finally:
        end_group(process)
    assert answer.code == 0, answer.err
    assert "another install runs here; waiting" in answer.err
    assert "making" in answer.err  # what the orphan made is not trusted


def test_an_interrupted_install_says_so_and_ends_its_child(checkout: Checkout) -> None:
    process = checkout.start("--version")
    try:
        config = checkout.root / ".venv" / "pyvenv.cfg"
        wait_for(config.exists, 60, "the child that makes the venv")
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 130
    assert "stopped; the next run starts the install again" in err
    assert "Traceback" not in err


def test_two_at_once_install_once_with_uv(checkout: Checkout, index: None, tmp_path: Path) -> None:
    path = path_with_uv(tmp_path / "bin")
    both = [checkout.start("--version", path=path) for _ in range(2)]
    try:
        told = [process.communicate(timeout=170) for process in both]
    finally:
        for process in both:
            end_group(process)
    assert [process.returncode for process in both] == [0, 0], told
    assert sum("making" in err for _, err in told) == 1
    assert all(out.startswith("snakepit ") for out, _ in told)
    assert not list(checkout.root.glob(".venv/lib/python3*/site-packages/pip"))  # uv brings none

    with (checkout.root / "requirements" / "base.txt").open("a") as text:
        text.write("# a later version of this lock\n")
    answer = checkout.run("--version")  # uv is gone from PATH
    assert answer.code == 0, answer.err
    assert "making" in answer.err


def test_the_wheel_is_the_package_and_its_command(
    checkout: Checkout, index: None, tmp_path: Path
) -> None:
    (checkout.root / "README.md").write_text("# snakepit\n")
    (checkout.root / "pit").mkdir()
    (checkout.root / "pit" / "README.md").write_text("what init copies\n")
    (checkout.root / "prompts").mkdir()
    (checkout.root / "prompts" / "snake.md").write_text("what init copies\n")
    pip = (PYTHON, "-I", "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path))
    answer = checkout.run(str(checkout.root), command=pip)
    assert answer.code == 0, answer.err
    (wheel,) = tmp_path.glob("snakepit-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry,) = [name for name in names if name.endswith(".dist-info/entry_points.txt")]
        points = archive.read(entry).decode()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"snakepit"}
    assert "snakepit/py.typed" in names
    assert "snakepit/config/shipped/pit/README.md" in names
    assert "snakepit/config/shipped/prompts/snake.md" in names
    assert "snakepit = snakepit.cli.main:main" in points

#!/usr/bin/env python3
"""Owns the first start: `python3 agents.py ...` on a machine that has only Python and tmux.

It checks the machine, makes `.venv` beside itself and becomes `.venv/bin/python -m snakepit ...`.
It uses the standard library alone, parses on Python 3.6 so that an old Python hears a sentence and
not a SyntaxError, and must not know what any verb does.

The stamp `.venv/.snakepit` is the commit of an install: it says `installing` before the first file
is touched and gets the hashes of the locks after the last one, so what was cut short is seen and
built anew. Installs take turns by a lock that the installing child inherits: a killed parent does
not let a second install in beside the first one's orphan. A `.venv` without a stamp is not ours and
is moved aside.
"""

import hashlib
import os
import shlex
import sys

ROOT = os.path.dirname(os.path.realpath(__file__))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, ".snakepit")
PYTHON_NEEDED = (3, 11)
TMUX_NEEDED = (3, 2)
VERBS_WITH_TMUX = ("up", "daemon", "attach")
ENVIRONMENT_MISSING = 4  # exit code, as in snakepit/errors.py
INTERRUPTED = 130
INSTALLING = "installing\n"

# The person's own pip and uv settings that reach an install: where packages come from, and how.
# The rest (a target folder, a constraint, --user) would put them elsewhere or break the lock.
PIP_SETTINGS = """INDEX_URL EXTRA_INDEX_URL FIND_LINKS NO_INDEX CERT CLIENT_CERT PROXY TRUSTED_HOST
RETRIES TIMEOUT DEFAULT_TIMEOUT CACHE_DIR NO_CACHE_DIR CONFIG_FILE KEYRING_PROVIDER USE_FEATURE"""
UV_SETTINGS = """INDEX INDEX_URL DEFAULT_INDEX EXTRA_INDEX_URL FIND_LINKS NO_INDEX INSECURE_HOST
OFFLINE CACHE_DIR NO_CACHE HTTP_TIMEOUT NATIVE_TLS SYSTEM_CERTS KEYRING_PROVIDER LINK_MODE"""

# manager, its packages for Python and for venv ({0}: the running version), its command ({0}: sudo)
MANAGERS = (
    ("apt-get", "python3.11 python3.11-venv", "python{0}-venv", "{0}apt-get install -y "),
    ("dnf", "python3.11", "python3-libs", "{0}dnf install -y "),
    ("apk", "python3", "python3", "{0}apk add "),
    ("pacman", "python", "python", "{0}pacman -S --needed --noconfirm "),
    ("zypper", "python311", "python311", "{0}zypper install -y "),
    ("brew", "python", "python", "brew install "),
)


def main(args: "list[str]") -> int:
    if args[:1] == ["--setup"]:
        wanted = ["base"] + args[1:2]
        return 0 if is_ready(wanted) else set_up(wanted, args)
    python = ""
    if is_ready(["base"]):
        python = VENV_PYTHON
    elif is_installed_elsewhere():
        python = sys.executable
    code = refuse(check_tmux(args)) if python else set_up(["base"], args)
    return code or run(python or VENV_PYTHON, args)


def run(python: str, args: "list[str]") -> int:
    """Become the program. -I: neither the current folder nor PYTHONPATH may shadow a package."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.environ["SNAKEPIT_CALLED"] = "python3 " + shlex.quote(sys.argv[0])
    os.execv(python, [python, "-I", "-m", "snakepit"] + args)
    return 1


def say(text: str) -> None:
    """To stderr: stdout belongs to the verb that follows."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


# The stamp -------------------------------------------------------------------------------------


def lock_path(name: str) -> str:
    return os.path.join(ROOT, "requirements", name + ".txt")


def stamp_lines(names: "list[str]") -> "list[str]":
    """What a finished install of these locks leaves; a moved checkout or another Python differs."""
    lines = ["root " + ROOT, "python " + os.path.realpath(VENV_PYTHON)]
    for name in names:
        with open(lock_path(name), "rb") as lock:
            lines.append(name + " " + hashlib.sha256(lock.read()).hexdigest())
    return lines


def read_stamp() -> str:
    try:
        with open(STAMP) as stamp:
            return stamp.read()
    except (OSError, UnicodeDecodeError):
        return ""


def write_stamp(text: str) -> None:
    with open(STAMP, "w") as stamp:
        stamp.write(text)


def is_ready(names: "list[str]") -> bool:
    if not os.access(VENV_PYTHON, os.X_OK):
        return False
    return set(stamp_lines(names)) <= set(read_stamp().splitlines())


def is_installed_elsewhere() -> bool:
    """The running Python has this checkout (`pip install -e .`) and all that it needs."""
    pythonpath = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if sys.version_info < PYTHON_NEEDED or ROOT not in sys.path[1:] or ROOT in pythonpath:
        return False
    import tomllib
    from importlib.metadata import PackageNotFoundError, version

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as project:
        wanted = tomllib.load(project)["project"]["dependencies"]
    try:
        return all(
            numbers(version(name)) >= numbers(least)
            for name, _, least in (line.partition(">=") for line in wanted)
        )
    except PackageNotFoundError:
        return False


def numbers(version: str) -> "tuple[int, ...]":
    """'tmux 3.3a' -> (3, 3); () where there is no number, as in 'tmux master'."""
    import re

    found = re.search(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


# The checks ------------------------------------------------------------------------------------


def check_python() -> "list[tuple[str, str, str]]":
    """Each missing thing is (key of MANAGERS, what, what was found instead)."""
    if sys.version_info >= PYTHON_NEEDED:
        return []
    found = "this is {}.{} ({})".format(sys.version_info[0], sys.version_info[1], sys.executable)
    return [("python", "Python 3.11 or newer", found)]


def check_tmux(args: "list[str]") -> "list[tuple[str, str, str]]":
    verb = next((arg for arg in args if not arg.startswith("-")), "")
    if verb not in VERBS_WITH_TMUX or "--help" in args:
        return []
    import shutil

    program = shutil.which("tmux")
    if program is None:
        return [("tmux", "tmux 3.2 or newer", "not found")]
    answer = answer_of([program, "-V"])[1]
    if answer and (not numbers(answer) or numbers(answer) >= TMUX_NEEDED):
        return []
    return [("tmux", "tmux 3.2 or newer", "{} is {}".format(program, answer or "silent"))]


def check_place() -> "list[tuple[str, str, str]]":
    missing = []
    if sys.version_info >= PYTHON_NEEDED and not installers():
        missing.append(("venv", "venv and ensurepip, or uv", sys.executable + " has neither"))
    folders = [path for path in (ROOT, VENV) if os.path.isdir(path)]
    shut = [path for path in folders if not os.access(path, os.W_OK | os.X_OK)]
    return missing + [("", "a folder that can be written", path) for path in shut]


def installers() -> "list[str]":
    import importlib.util
    import shutil

    found = [shutil.which("uv") or ""]
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        found.append("pip")
    return [name for name in found if name]


def newer_python() -> str:
    """A Python >= 3.11 on PATH that proves it (a version manager's shim may be empty), or ''."""
    import shutil

    modules = "sys" if shutil.which("uv") else "sys, venv, ensurepip"
    probe = "import {}; sys.exit(sys.version_info < (3, 11))".format(modules)
    for minor in range(20, PYTHON_NEEDED[1] - 1, -1):
        program = shutil.which("python3.{}".format(minor))
        if program and answer_of([program, "-I", "-c", probe])[0]:
            return program
    return ""


def refuse(missing: "list[tuple[str, str, str]]") -> int:
    if not missing:
        return 0
    say("snakepit cannot start on this machine yet. Missing:")
    width = max(len(what) for _, what, _ in missing)
    for _, what, found in missing:
        say("  {}   {}".format(what.ljust(width), found))
    line = install_line([key for key, _, _ in missing if key])
    if line:
        say("Install with this line, then run the same command again:")
        say("  " + line)
    return ENVIRONMENT_MISSING


def install_line(keys: "list[str]") -> str:
    import shutil

    running = "{}.{}".format(*sys.version_info[:2])
    for manager, python, venv, command in MANAGERS:
        if keys and shutil.which(manager):
            chosen = {"python": python, "venv": venv.format(running), "tmux": "tmux"}
            words = [chosen[key] for key in keys]
            sudo = "sudo " if os.geteuid() != 0 else ""
            update = sudo + "apt-get update && " if manager == "apt-get" else ""
            return update + command.format(sudo) + " ".join(words)
    return ""


# The install -----------------------------------------------------------------------------------


def set_up(names: "list[str]", args: "list[str]") -> int:
    """0 when the locks of these names are installed; else the exit code, the reason said."""
    if os.name != "posix":
        say("snakepit runs on Linux and macOS; on Windows use WSL.")
        return ENVIRONMENT_MISSING
    if sys.version_info < PYTHON_NEEDED:
        program = newer_python()
        if program:
            old = "{}.{}".format(*sys.version_info[:2])
            say("snakepit: Python {} is too old, going on with {}".format(old, program))
            os.execv(program, [program, os.path.join(ROOT, "agents.py")] + args)
    missing = check_python() + check_tmux(args) + check_place()
    if missing:
        return refuse(missing)
    try:
        return install_in_turn(names)
    except KeyboardInterrupt:
        say("\nsnakepit: stopped; the next run starts the install again")
        return INTERRUPTED
    except OSError as error:
        say("snakepit: the install stopped: {}".format(error))
        say("  fix that, then run the same command again")
        return ENVIRONMENT_MISSING


def install_in_turn(names: "list[str]") -> int:
    import fcntl

    turn = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("snakepit: another install runs here; waiting for it")
            fcntl.flock(turn, fcntl.LOCK_EX)
        except OSError:
            pass  # a filesystem without locks: two installs at once are then the person's to avoid
        return 0 if is_ready(names) else install(names, turn)
    finally:
        os.close(turn)


def install(names: "list[str]", turn: int) -> int:
    move_aside()
    is_sound = set(stamp_lines([])) <= set(read_stamp().splitlines())
    os.makedirs(VENV, exist_ok=True)
    write_stamp(INSTALLING)
    for installer in installers():
        failure = fill_venv(installer, names, is_sound, turn)
        if not failure:
            finish(names)
            say("snakepit: ready")
            return 0
        is_sound = False
        say("  {} did not manage:\n{}".format(os.path.basename(installer), failure))
    say("snakepit: nothing was installed. With the package index in reach, run the command again.")
    return ENVIRONMENT_MISSING


def move_aside() -> None:
    """A .venv that this did not make is kept, under another name."""
    if not os.path.lexists(VENV) or os.path.exists(STAMP):
        return
    if os.path.isdir(VENV) and not os.listdir(VENV):
        return
    count = 1
    while os.path.lexists("{}-{}".format(VENV, count)):
        count += 1
    os.rename(VENV, "{}-{}".format(VENV, count))
    say("snakepit: the .venv here was made by something else; it is now .venv-{}".format(count))


def empty_venv() -> None:
    """All but the stamp goes: what a killed install left half written is not worth mending."""
    import shutil

    for name in os.listdir(VENV):
        path = os.path.join(VENV, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif path != STAMP:
            os.unlink(path)


def fill_venv(installer: str, names: "list[str]", is_sound: bool, turn: int) -> str:
    """Install the locks into .venv, made anew unless it is sound; what failed, or ''."""
    python = getattr(sys, "_base_executable", sys.executable)  # not the one in .venv: that may go
    if os.path.basename(installer) == "uv":
        make = [installer, "venv", "--quiet", "--allow-existing", "--python", python, VENV]
        fill = [installer, "pip", "install", "--quiet", "--python", VENV_PYTHON]
    else:
        pip = [VENV_PYTHON, "-I", "-m", "pip"]
        make = [python, "-I", "-m", "venv", VENV]
        fill = pip + ["install", "--quiet", "--no-user", "--disable-pip-version-check"]
        is_sound = is_sound and answer_of(pip + ["--version"])[0]
    failure = ""
    if not is_sound:
        say("snakepit: making {} with Python {}.{}.{}".format(VENV, *sys.version_info[:3]))
        empty_venv()
        failure = failure_of(make, turn)
    for name in names:
        if not failure:
            say("  installing requirements/{}.txt, hashes checked".format(name))
            lock = ["--no-deps", "--require-hashes", "-r", lock_path(name)]
            failure = failure_of(fill + lock, turn)
    return failure


def finish(names: "list[str]") -> None:
    """The checkout on the path, the command, and last the stamp."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = answer_of([VENV_PYTHON, "-I", "-c", ask])[1]
    with open(os.path.join(packages, "snakepit-checkout.pth"), "w") as path_file:
        path_file.write(ROOT + "\n")
    command = os.path.join(VENV, "bin", "snakepit")
    with open(command + ".new", "w") as script:
        script.write("#!/bin/sh\n'''exec' '{}' -I \"$0\" \"$@\"\n' '''\n".format(VENV_PYTHON))
        script.write("import sys\n\nfrom snakepit.cli.main import main\n\nsys.exit(main())\n")
    os.chmod(command + ".new", 0o755)
    os.replace(command + ".new", command)
    write_stamp("\n".join(stamp_lines(names)) + "\n")


# Other programs --------------------------------------------------------------------------------


def clean_environment() -> "dict[str, str]":
    kept = ["PIP_" + name for name in PIP_SETTINGS.split()]
    kept += ["UV_" + name for name in UV_SETTINGS.split()]
    dropped = ("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "__PYVENV")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(dropped)
    }


def failure_of(command: "list[str]", turn: int) -> str:
    """Run it, the lock in its hands too; the end of what it printed if it failed, else ''."""
    import subprocess

    done = subprocess.run(
        command,
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        pass_fds=(turn,),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode == 0:
        return ""
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()[-12:]
    return "\n".join("    " + line for line in lines) or "    exit {}".format(done.returncode)


def answer_of(command: "list[str]") -> "tuple[bool, str]":
    """(it ended well, what it printed)."""
    import subprocess

    null = subprocess.DEVNULL
    try:
        told = subprocess.check_output(command, env=clean_environment(), stdin=null, stderr=null)
    except (OSError, subprocess.CalledProcessError):
        return False, ""
    return True, told.decode("utf-8", "replace").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

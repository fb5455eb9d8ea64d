"""Owns the first process of a pane: what is started below it ends with it. Knows no task, no pit.

Run alone by `python -I -S guard.py LAUNCHFILE`, and kept tiny (it lives as long as its pane):
C modules where Python ones cost memory. LAUNCHFILE is JSON {argv, env, cwd}, unlinked once read.

argv runs with exactly env, plus SNAKEPIT_GUARD (our pid) and SNAKEPIT_ASIDE, and dies with us.
Orphans below come to us, whatever they do to their session or environment, and are ended when argv
is over; we exit with its status (128 + n for signal n). SIGTERM is passed on; so is SIGHUP, and
10 s later SIGKILL. SIGUSR1 starts the launch file SNAKEPIT_ASIDE outside of all this: that is how a
worker starts the daemon, and how a command typed in a pane lives to see the pane's end.
"""

import os
import sys

MYPY = False
if MYPY:
    import signal
else:
    import _signal as signal

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
HANGUP_GRACE = 10  # seconds
IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
HANDLED = (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1)
BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class _Plain:
    """What the C scanner of JSON wants to be told."""

    strict = False
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = str
    memo: dict[str, str] = {}  # noqa: RUF012  the scanner wants a plain attribute


def read_launch(path: str) -> dict:  # type: ignore[type-arg]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    os.unlink(path)
    try:
        from _json import make_scanner

        return make_scanner(_Plain())(text, 0)[0]  # type: ignore[no-any-return,arg-type]
    except (ImportError, AttributeError, TypeError):
        import json

        return json.loads(text)  # type: ignore[no-any-return]


def prctl(option: int, value: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    try:
        import _ctypes

        libc = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
        call = _ctypes.dlsym(libc, "prctl")
        _ctypes.call_function(call, (option, value, 0, 0, 0))
    except (ImportError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def say(text: str) -> None:
    try:
        os.write(2, f"{text}\r\n".encode(errors="replace"))
    except OSError:
        pass  # the pane is gone


def fork() -> int:
    """The child finds every signal as a new program expects it; the parent must `listen` again."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    pid = os.fork()
    if pid == 0:
        for number in (*IGNORED, *HANDLED, *BY_PYTHON):
            signal.signal(number, signal.SIG_DFL)
        listen()
    return pid


def listen() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


def execute(argv: list[str], env: dict[str, str], cwd: str) -> None:
    """Become argv; returns only when that failed, which has then been said."""
    try:
        os.chdir(cwd)
        os.execvpe(argv[0], argv, env)
    except (OSError, ValueError) as error:
        say(f"snakepit: cannot start {argv[0]} in {cwd}: {error}")


def start(launch: dict, guard: int, aside: str) -> int:  # type: ignore[type-arg]
    env = {**launch["env"], "SNAKEPIT_GUARD": str(guard), "SNAKEPIT_ASIDE": aside}
    pid = fork()
    if pid == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard:
            execute(launch["argv"], env, launch["cwd"])
        os._exit(127)
    return pid


def start_aside(path: str) -> None:
    """Start what the file says as a child of init: nothing of ours may end it."""
    try:
        launch = read_launch(path)
    except (OSError, ValueError):
        return
    prctl(PR_SET_CHILD_SUBREAPER, 0)
    pid = fork()
    if pid == 0:
        os.setsid()
        if fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            output = os.open(launch.get("output") or os.devnull, flags, 0o600)
            for source, target in ((null, 0), (output, 1), (output, 2)):
                os.dup2(source, target)
            execute(launch["argv"], launch["env"], launch["cwd"])
        os._exit(0)
    os.waitpid(pid, 0)
    listen()
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def parents() -> dict[int, int]:
    """pid -> parent of all that runs, zombies left out."""
    table = {}
    if not os.path.isdir("/proc/self"):
        with os.popen("ps -A -o pid=,ppid=,stat=") as file:
            rows = [line.split() for line in file]
        return {int(row[0]): int(row[1]) for row in rows if not row[2].startswith("Z")}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                    stat = file.read()
            except OSError:
                continue
            state, parent = stat[stat.rindex(b")") + 2 :].split(None, 2)[:2]
            if state not in b"ZX":
                table[int(name)] = int(parent)
    return table


def below(root: int) -> set[int]:
    table = parents()
    found: set[int] = set()
    layer = {root}
    while layer:
        layer = {pid for pid, parent in table.items() if parent in layer and pid not in found}
        found |= layer
    return found


def send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        pass  # gone meanwhile, or not ours


def end_all(me: int) -> int:
    """End all below us, however often it forks: stop all, only then kill. How many it were."""
    ended: set[int] = set()
    while True:
        stopped: set[int] = set()
        while running := below(me) - stopped:
            for pid in running:
                send(pid, signal.SIGSTOP)
            stopped |= running
        if not stopped:
            return len(ended)
        for pid in stopped:
            send(pid, signal.SIGKILL)
        ended |= stopped
        os.wait()


def main() -> int:
    me = os.getpid()
    child = 0

    def forward(number: int, _: object) -> None:
        if child:
            send(child, number)
            send(child, signal.SIGCONT)
        if number == signal.SIGHUP:
            signal.alarm(HANGUP_GRACE)

    path = sys.argv[1]
    aside = os.path.join(os.path.dirname(path), f"aside-{me}.json")
    if os.path.exists(aside):
        os.unlink(aside)  # of a guard that had our pid
    try:
        launch = read_launch(path)
    except (OSError, ValueError) as error:
        say(f"snakepit: cannot read the launch file {path}: {error}")
        return 127
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGHUP, forward)
    signal.signal(signal.SIGALRM, lambda *_: send(child, signal.SIGKILL))
    signal.signal(signal.SIGUSR1, lambda *_: start_aside(aside))
    child = start(launch, me, aside)
    listen()
    name = launch["env"].get("SNAKEPIT_WORKER") or os.path.basename(launch["argv"][0])
    del launch  # keys
    pid = status = -1
    while pid != child:
        pid, status = os.wait()
    signal.alarm(0)
    left = end_all(me)
    code = os.waitstatus_to_exitcode(status)
    how = f"exit {code}" if code >= 0 else f"signal {-code}"
    say(f"[{name} ended: {how}{f'; {left} left-over processes ended' if left else ''}]")
    return code if code >= 0 else 128 - code

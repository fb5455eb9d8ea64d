"""Owns killing a forked child by strace: SIGKILL at the n-th call of one system call."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)


def killed_by_strace(call: str, number: int, act: Callable[[], None], log: Path) -> bool:
    """True when the `number`-th `call` (a strace set, say `rename,renameat2`) killed the child."""
    go_read, go_write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(go_write)
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
            os.read(go_read, 1)
            act()
            code = 0
        except BaseException:  # the child must not return into the test
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(go_read)
    tracer = _attach(child, call, number, log)
    os.write(go_write, b"!")
    os.close(go_write)
    _, status = os.waitpid(child, 0)
    tracer.communicate(timeout=20)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the transition itself failed; see the trace above"
    return False


def _attach(child: int, call: str, number: int, log: Path) -> subprocess.Popen[str]:
    inject = f"inject={call}:signal=KILL:when={number}"
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(child), "-o", str(log), "-e", f"trace={call}", "-e", inject],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    assert "attached" in line, line
    return tracer

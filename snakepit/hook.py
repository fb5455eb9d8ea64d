"""Owns what an agent program's hooks call: one line about what happened, appended to a spool. Imports nothing of ours.

Run alone by `python -I -S hook.py SPOOL [WHAT] [PAYLOAD]`; the payload is stdin where it is not an argument. It
prints nothing, waits for no lock, and ends with 0 whatever happens. WHAT "status" keeps only the last payload, in a
file beside the spool: a status line is redrawn all the time. The reader is pool/spool.py.
"""

import os
import sys

MOST = 256 * 1024  # bytes of a payload that are kept: its beginning, and the last of TAIL
TAIL = 16 * 1024
DRAINED = 64 * 1024 * 1024  # read and thrown away, so that no writer gets a broken pipe
SPOOL_MOST = 32 * 1024 * 1024  # nobody reads it: nothing more is written
PATIENCE = 2.0  # seconds for the whole of stdin
STATUS = "status"
IDENTITY = ("WORKER", "GENERATION", "TASK", "ATTEMPT")


def main(argv: list[str]) -> None:
    path = argv[1]
    words = argv[2:]
    what = words.pop(0) if words and words[0] == STATUS else ""
    head, tail = (words[0].encode("utf-8", "surrogateescape"), b"") if words else read_stdin()
    if len(head) > MOST:
        head, tail = head[:MOST], head[-TAIL:]
    line = record(head, tail)
    if what == STATUS:
        keep_last(path, line)
    else:
        append(path, line)


def read_stdin() -> tuple[bytes, bytes]:
    """What is kept of it: beginning and end, the end empty where the beginning is all."""
    import select
    import time

    deadline = time.monotonic() + PATIENCE
    head, tail, size = b"", b"", 0
    while size < DRAINED:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([0], [], [], left)[0]:
            break
        got = os.read(0, 1024 * 1024)
        if not got:
            break
        size += len(got)
        room = MOST - len(head)
        head += got[:room]
        tail = (tail + got[max(room, 0) :])[-TAIL:]
    return head, tail


def record(head: bytes, tail: bytes) -> bytes:
    import time

    parts = [f'"at":{time.time():.6f}']
    for name in IDENTITY:
        value = os.environ.get("SNAKEPIT_" + name)
        if value:
            parts.append(f'"{name.lower()}":{quoted(value)}')
    parts.append(f'"said":{quoted(head.decode("utf-8", "replace"))}')
    if tail:
        parts.append(f'"end":{quoted(tail.decode("utf-8", "replace"))}')
    # A newline on both sides: what another writer left torn ends here, and costs no other line.
    return ("\n{" + ",".join(parts) + "}\n").encode("ascii", "replace")


def quoted(text: str) -> str:
    """As JSON, in ASCII; by the C part alone, since the rest takes longer to load than all of this."""
    try:
        from _json import encode_basestring_ascii
    except ImportError:
        import json

        return json.dumps(text)
    return encode_basestring_ascii(text)


def append(path: str, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    if os.fstat(fd).st_size < SPOOL_MOST:
        os.write(fd, line)


def keep_last(path: str, line: bytes) -> None:
    last = path.removesuffix(".jsonl") + ".status.json"
    fresh = f"{last}.{os.getpid()}"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    done = os.write(fd, line) == len(line)
    os.replace(fresh, last) if done else os.unlink(fresh)


if __name__ == "__main__":
    try:
        main(sys.argv)
    except BaseException:
        pass
    os._exit(0)

"""Owns which account rests until when: one small file for each account and model scope, for all processes.

An account is who pays and is limited, not a session: the first to be refused writes the record, and no
snake of that account claims until it is over (pool/canary.py says who tries first then). A record that
is over stays until somebody was answered; a person's lift wins over whatever was asked before it.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakepit import clock
from snakepit.config.model import SCRIPT
from snakepit.core.outcome import LIMITED
from snakepit.pool.statefile import read_state, write_state

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config
    from snakepit.core.outcome import Outcome
    from snakepit.pool.context import Pit

STRUCTURED = "structured"  # a field of the program's output or the server's header said when
TEXT = "text"  # words said when
FALLBACK = "fallback"  # nobody said when: [watchdog] limit_probe_fallback
FILE = re.compile(r"(?P<account>[^@.][^@]*?)(?:@(?P<scope>[^@]+))?\.json")
LAST = 32503680000.0  # unix seconds; the year 3000
MOST_S = 366 * 86400.0  # a rest that is to last longer was misread
DETAIL = 300  # characters of what the program said
SETTLED_S = 0.1  # a folder changed longer ago than this has a time stamp that tells


class Rest(NamedTuple):
    """Instants in unix seconds. `refused`: how often in a row, without an answer in between.

    `lifted`: when a person ended it, else 0. `window`: "5-hour", "weekly", … where the words named it.
    """

    account: str
    scope: str
    kind: str
    until: float
    since: float
    source: str = FALLBACK
    detail: str = ""
    by: str = ""
    window: str = ""
    refused: int = 1
    lifted: float = 0.0

    def is_over(self, now: float) -> bool:
        return self.lifted > 0 or self.until <= now

    def concerns(self, account: str, model: str) -> bool:
        """A snake whose model nobody named may use any: it rests with every scope."""
        return self.account == account and (not model or self.scope in model.lower())


def account_of(config: "Config", agent: "Agent", environ: Mapping[str, str] | None = None) -> str:
    """`claude-a1b2c3`: equal where the same account pays; no value can be read back. "" for none."""
    if config.backends[agent.backend].runner == SCRIPT:
        return ""
    account = config.backends[agent.backend].account
    if not account.name:
        return ""
    from hashlib import sha256

    env = {**(os.environ if environ is None else environ), **agent.env}
    folder = next((env[name] for name in account.folder_env if env.get(name)), account.folder)
    if folder.startswith("~"):
        folder = env.get("HOME", "") + folder[1:]
    told = [f"{name}={env.get(name, '')}" for name in account.env]
    mark = sha256("\0".join((account.name, *told, folder)).encode("utf-8", "replace")).hexdigest()
    return f"{plain(account.name)}-{mark[:6]}"


def plain(name: str) -> str:
    """As it stands in file names and for people."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.")


def limits_dir(config: "Config") -> Path:
    return config.state_dir / "limits"


def rest(
    pit: "Pit",
    account: str,
    outcome: "Outcome",
    *,
    by: str = "",
    source: str = TEXT,
    began: float | None = None,
) -> Rest | None:
    """Write down that the account refused, told in the journal; None when a person's lift came after
    `began`, the start of what was refused. What is there already stays if it knows better."""
    now = clock.wall()
    fallback = pit.config.watchdog.limit_probe_fallback
    read = outcome.until if outcome.until is not None and 0 < outcome.until - now < MOST_S else None
    new = Rest(
        account=account,
        scope=plain(outcome.scope),
        kind=outcome.kind,
        until=now + fallback if read is None else read + pit.config.watchdog.limit_reset_slack,
        since=now,
        source=FALLBACK if read is None else source,
        detail=pit.redactor.clean(outcome.reason)[:DETAIL],
        by=by,
        window=_window(outcome.reason) if outcome.kind == LIMITED else "",
    )
    path = _path(pit.config, account, new.scope)
    with _locked(pit.config):
        old = _read(path)
        if old is not None and old.lifted >= (now if began is None else began):
            return None
        kept = _merged(old, new, now)
        if kept == old:
            return old
        write_state(path, kept._asdict())
    pit.journal.append(
        "account.limited",
        account=account,
        scope=kept.scope,
        kind=kept.kind,
        until=clock.stamp(kept.until),
        source=kept.source,
        detail=kept.detail,
        refused=kept.refused,
        by=by,
    )
    return kept


def _merged(old: Rest | None, new: Rest, now: float) -> Rest:
    """The later end wins, but a read one over a guess and a structured one over all."""
    if old is None or old.lifted:
        return new
    if old.is_over(now):
        return new._replace(refused=old.refused + 1, since=old.since)
    ranks = {FALLBACK: 0, TEXT: 1, STRUCTURED: 2}
    mine, theirs = ranks.get(new.source, 1), ranks.get(old.source, 1)
    wins = mine > theirs or (mine == theirs == 2) or (mine == theirs == 1 and new.until > old.until)
    return new._replace(refused=old.refused, since=old.since) if wins else old


def lift(pit: "Pit", account: str, *, scope: str | None = None, by: str = "person") -> list[Rest]:
    """End the rests of an account (all its scopes for None) by hand; those that were not over yet."""
    now = clock.wall()
    lifted = []
    with _locked(pit.config):
        for found in records(pit.config):
            if found.account != account or scope not in (None, found.scope) or found.lifted:
                continue
            write_state(
                _path(pit.config, account, found.scope), found._replace(lifted=now)._asdict()
            )
            lifted.append(found)
    for found in lifted:
        _tell_end(pit, found, "lifted by hand", by)
    return lifted


def answered(pit: "Pit", account: str, model: str, *, by: str) -> None:
    """The account answers again: what was over and concerned this model is forgotten."""
    now = clock.wall()
    with _locked(pit.config):
        over = [
            found
            for found in records(pit.config)
            if found.concerns(account, model) and found.is_over(now)
        ]
        for found in over:
            _path(pit.config, account, found.scope).unlink(missing_ok=True)
    for found in over:
        if not found.lifted:
            _tell_end(pit, found, "it answers again", by)


def records(config: "Config") -> list[Rest]:
    """All that are written down, also those that are over; damaged ones are left out."""
    folder = limits_dir(config)
    try:
        files = sorted(os.listdir(folder))
    except OSError:
        return []
    found = (_read(folder / file) for file in files if FILE.fullmatch(file))
    return [rest for rest in found if rest is not None]


def resting(
    config: "Config", account: str, model: str = "", *, now: float | None = None
) -> Rest | None:
    """What keeps this account from this model now, the longest of several."""
    at = clock.wall() if now is None else now
    return longest(records(config), account, model, lambda rest: not rest.is_over(at))


def longest(
    found: list[Rest], account: str, model: str, wanted: "Callable[[Rest], bool]"
) -> Rest | None:
    concerned = [rest for rest in found if rest.concerns(account, model) and wanted(rest)]
    return max(concerned, key=lambda rest: rest.until, default=None)


class Records:
    """The records, read again only when the folder changed: one stat where nothing rests."""

    def __init__(self, config: "Config") -> None:
        self._config = config
        self._folder = os.fspath(limits_dir(config))
        self._stamp: tuple[int, int] | None = None
        self._found: list[Rest] = []

    def now(self) -> list[Rest]:
        try:
            seen = os.stat(self._folder)
        except OSError:
            return []
        stamp = (seen.st_ino, seen.st_mtime_ns)
        if stamp != self._stamp:
            is_settled = clock.wall() - seen.st_mtime > SETTLED_S
            self._found = records(self._config)
            self._stamp = stamp if is_settled else None
        return self._found


# --- the files


def _path(config: "Config", account: str, scope: str) -> Path:
    return limits_dir(config) / (f"{account}@{scope}.json" if scope else f"{account}.json")


def _read(path: Path) -> Rest | None:
    """Its name says whose it is; a record without a number to rest until is none."""
    named = FILE.fullmatch(path.name)
    raw = read_state(path)
    if named is None or not 0 <= _number(raw.get("until"), -1.0) < LAST:
        return None
    numbers = {key: _number(raw.get(key)) for key in ("until", "since", "lifted")}
    words = {key: str(raw.get(key) or "") for key in ("kind", "source", "detail", "by", "window")}
    return Rest(
        account=named["account"],
        scope=named["scope"] or "",
        kind=words["kind"] or LIMITED,
        until=numbers["until"],
        since=numbers["since"],
        source=words["source"] or FALLBACK,
        detail=words["detail"],
        by=words["by"],
        window=words["window"],
        refused=int(_number(raw.get("refused"))) or 1,
        lifted=numbers["lifted"],
    )


def _number(found: object, otherwise: float = 0.0) -> float:
    return float(found) if isinstance(found, int | float) and abs(found) < LAST else otherwise


@contextmanager
def _locked(config: "Config") -> Iterator[None]:
    import fcntl

    limits_dir(config).mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(config.state_dir / "limits.lock", flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _window(words: str) -> str:
    from snakepit.core.resets import window_of

    return window_of(words)


def _tell_end(pit: "Pit", found: Rest, reason: str, by: str) -> None:
    pit.journal.append(
        "account.rested", account=found.account, scope=found.scope, reason=reason, by=by
    )

"""Owns the transitions that the crash tests kill: how each is prepared, done, and what must hold afterwards."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from snakepit.core.lifecycle import State
from snakepit.core.order import Diet
from snakepit.core.result import MARK
from snakepit.store import layout
from snakepit.store.base import LifeRecord, Part
from snakepit.store.files import FilePit, open_pit
from snakepit.store.life import FileLife
from snakepit.store.listing import in_hands
from snakepit.store.reader import read_task

DIET = Diet(species=frozenset({"worker"}), worker="s1")
BODY = "# Count the eggs\n\nThere are twelve.\n"
NAME = "x.md"


def nothing_runs(_: LifeRecord) -> bool:
    return True


def open_it(path: Path) -> FilePit:
    return open_pit(path, durable="kill", attempts=5)


def drop(path: Path, text: str = BODY, name: str = NAME) -> None:
    (path / "food" / name).write_text(text)


def begin(pit: FilePit) -> FileLife:
    return pit.open_worker("s1", end_life=nothing_runs)


@dataclass(frozen=True)
class Scene:
    """`prepare` runs unharmed; `act` is killed. `runs` is how many runs may be counted at most."""

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    tasks: frozenset[str] = frozenset({NAME})
    may_be_absent: frozenset[str] = frozenset()
    runs: int = 1


def _nothing(path: Path) -> None:
    open_it(path).close()


def _waiting(path: Path) -> None:
    open_it(path).close()
    drop(path)


def _publish(path: Path) -> None:
    open_it(path).publish(BODY.encode(), NAME)


def _start(path: Path) -> None:
    begin(open_it(path))


def _claim(path: Path) -> None:
    pit = open_it(path)
    assert pit.claim(begin(pit), DIET) is not None


def _complete(path: Path) -> None:
    pit = open_it(path)
    life = begin(pit)
    claim = pit.claim(life, DIET)
    assert claim is not None
    keep = pit.waste_dir(NAME, 1) / "keep"
    keep.mkdir()
    (keep / "egg.txt").write_text("egg")
    pit.complete(claim, life, "twelve", keep=keep)


def _complete_by_verb(path: Path) -> None:
    pit = open_it(path)
    life = begin(pit)
    assert pit.claim(life, DIET) is not None
    other = open_it(path)
    acting = other.adopt("s1", life.generation)
    other.complete(other.claims_of(acting)[0], acting, "twelve")


def _complete_linked(path: Path) -> None:
    os.link(path / "food" / NAME, path / "waste" / "copy")
    _complete(path)


def _fail(path: Path) -> None:
    pit = open_it(path)
    life = begin(pit)
    claim = pit.claim(life, DIET)
    assert claim is not None
    pit.fail(claim, life, "one egg broke")


def _bury(path: Path) -> None:
    pit = open_it(path)
    life = begin(pit)
    claim = pit.claim(life, DIET)
    assert claim is not None
    pit.fail(claim, life, "all eggs broke", dead=True)


def _release(path: Path) -> None:
    pit = open_it(path)
    life = begin(pit)
    claim = pit.claim(life, DIET)
    assert claim is not None
    pit.release(claim, life)


PARTS = (Part(name="p1.md", text=b"first half\n"), Part(name="p2.md", text=b"second half\n"))


def _split(path: Path) -> None:
    pit = open_it(path)
    life = begin(pit)
    claim = pit.claim(life, DIET)
    assert claim is not None
    pit.split(claim, life, PARTS)


def _held_by_the_dead(path: Path) -> None:
    """A dead life with a claim, a torn result and a decision that was written and not published."""
    pit = open_it(path)
    life = begin(pit)
    drop(path, name="torn.md")
    drop(path, name="out.md")
    drop(path)
    for name in (NAME, "torn.md", "out.md"):
        pit.claim_name(life, name)
    work, hand = path / "claimed" / "s1", path / "claimed" / "s1" / layout.HAND
    torn = hand / "torn.md"
    os.rename(work / "torn.md", torn)
    torn.write_text(BODY + f"\n\n## Result {MARK} {life.generation} -->\n\nhal")
    os.rename(work / "out.md", hand / "out.md")
    (hand / layout.out_name(State.QUEUED, "out.md")).write_text(f"---\nattempt: 1\n---\n{BODY}")
    life.close()
    pit.close()


def _recover(path: Path) -> None:
    open_it(path).recover(nothing_runs)


def _down(path: Path) -> None:
    pit = open_it(path)
    pit.set_paused(True)
    pit.recover(nothing_runs, counted=False)
    pit.set_paused(False)


def _dead_letter(path: Path) -> None:
    open_it(path).close()
    (path / "scraps" / NAME).write_text(f"---\nattempt: 3\nreason: tired\n---\n{BODY}")


def _retry(path: Path) -> None:
    open_it(path).retry(NAME)


def _cancel(path: Path) -> None:
    open_it(path).cancel(NAME, "not wanted")


THREE = frozenset({NAME, "torn.md", "out.md"})
FAMILY = frozenset({NAME, "p1.md", "p2.md"})
SCENES = (
    Scene("publish", _nothing, _publish, may_be_absent=frozenset({NAME}), runs=0),
    Scene("start", _nothing, _start, tasks=frozenset(), runs=0),
    Scene("claim", _waiting, _claim),
    Scene("complete", _waiting, _complete),
    Scene("complete_by_verb", _waiting, _complete_by_verb),
    Scene("complete_linked", _waiting, _complete_linked),
    Scene("fail", _waiting, _fail),
    Scene("bury", _waiting, _bury),
    Scene("release", _waiting, _release),
    Scene("split", _waiting, _split, tasks=FAMILY, may_be_absent=frozenset({"p1.md", "p2.md"})),
    Scene("recover", _held_by_the_dead, _recover, tasks=THREE),
    Scene("down", _held_by_the_dead, _down, tasks=THREE),
    Scene("retry", _dead_letter, _retry, runs=3),
    Scene("cancel", _waiting, _cancel, runs=0),
)


def check(scene: Scene, path: Path) -> None:
    """After recovery: each task in exactly one place, whole, at most once with a result; nothing left over."""
    pit = open_it(path)
    places: dict[str, list[State]] = {}
    for state in State:
        for entry in pit.entries(state):
            places.setdefault(entry.name, []).append(state)
            text = pit.read(entry).decode()
            count = text.count(f"## Result {MARK}")
            assert count == (1 if state is State.DONE else 0), f"{entry.name} in {state}: {text!r}"
            if entry.name not in {"p1.md", "p2.md"}:
                assert BODY in text, f"{entry.name} lost its text: {text!r}"
            attempt = read_task(entry.name, text.encode()).attempt
            assert attempt <= max(scene.runs, 1 if entry.name == "out.md" else 0), text
    for name, states in places.items():
        assert len(states) == 1, f"{name} is in {states}"
        assert states[0] is not State.CLAIMED, f"{name} is still claimed"
    assert places.keys() | scene.may_be_absent == scene.tasks, places
    assert places.keys() >= scene.tasks - scene.may_be_absent, places
    assert list(in_hands(pit.folders)) == []
    hands = [hand for hand in os.listdir(path / ".pit" / "hand") if _has_record(path, hand)]
    assert hands == [], hands
    if "p1.md" in places:
        parent = next(entry for entry in pit.entries(State.QUEUED) if entry.name == NAME)
        assert read_task(NAME, pit.read(parent)).needs == ("p1.md", "p2.md")
        assert "p2.md" in places
    kept = path / "done" / "x"
    assert kept.exists() <= (path / "done" / NAME).exists()
    if kept.exists():
        assert (kept / "egg.txt").read_text() == "egg"
    pit.close()


def _has_record(path: Path, hand: str) -> bool:
    return (path / ".pit" / "hand" / hand / layout.RECORD).exists()

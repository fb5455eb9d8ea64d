"""A person replaces folders of the pit while the pool runs: it goes on with the new ones."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.fleets import HELLO, Fleet, fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(120)]


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path, count=2) as made:
        made.ok("up")
        made.drop("before.md")
        wait_for(lambda: "before.md" in made.lies("done"), 20, "the first meal")
        yield made


def remove(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def move_aside(folder: Path) -> None:
    folder.rename(folder.parent.parent / "aside")
    folder.mkdir()


@pytest.mark.parametrize("replace", [remove, move_aside])
@pytest.mark.parametrize("name", ["food", "done", "scraps", "claimed"])
def test_the_pool_goes_on_with_the_new_folder(
    pool: Fleet, name: str, replace: Callable[[Path], None]
) -> None:
    replace(pool.config.pit_dir / name)
    for number in range(6):
        pool.drop(f"after-{number}.md", HELLO)
    wanted = {f"after-{number}.md" for number in range(6)}
    aside = pool.config.pit_dir.parent / "aside"  # a result of the first second may go there

    def eaten() -> set[str]:
        return pool.lies("done") | {path.name for path in aside.glob("after-*.md")}

    wait_for(lambda: wanted <= eaten(), 30, f"all to be eaten beside a new {name}/")
    wait_for(lambda: pool.events("store.repaired"), 10, "a word about it")
    numbers = count()

    def eats_here() -> set[str]:
        pool.drop(f"later-{next(numbers)}.md", HELLO)
        return {name for name in pool.lies("done") if name.startswith("later-")}

    wait_for(eats_here, 20, "a meal in done/")
    wait_for(lambda: len(pool.lives()) == 2, 20, "both snakes")
    assert pool.run("fsck").returncode == 0
    assert not pool.lies("scraps")

from pathlib import Path

from snakepit.daemon.view import DRAW_ANYWAY, View, fitted
from snakepit.pool.applied import keep_applied
from snakepit.pool.context import opened
from tests.support.pits import make_config


def test_it_draws_when_something_happened(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    view = View(config.path)
    with opened(config) as pit:
        pit.journal.append("pool.up", agents=[])
        first = view.look(must=False)
        assert first is not None
        assert str(config.pit_dir) in first
        view.look(must=False)
        assert view.look(must=False) is None
        pit.journal.append("task.queued", task="x.md")
        assert view.look(must=False) is not None
        assert view.look(must=True) is not None
        later = [view.look(must=False) for _ in range(DRAW_ANYWAY)]
        assert sum(text is not None for text in later) == 1


def test_a_broken_config_is_shown_and_the_pane_stays(tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_text("nonsense = [", encoding="utf-8")
    shown = View(path).look(must=True)
    assert shown is not None
    assert "agents.toml" in shown


def test_the_pool_is_shown_while_its_file_is_broken(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    with opened(config):
        keep_applied(config)
        config.path.write_text("nonsense = [", encoding="utf-8")
        shown = View(config.path).look(must=True)
    assert shown is not None
    assert str(config.pit_dir) in shown


def test_nothing_wraps_and_nothing_scrolls() -> None:
    text = "\n".join("x" * 500 for _ in range(500))
    lines = fitted(text).split("\r\n")
    assert max(map(len, lines)) < 500
    assert len(lines) < 500

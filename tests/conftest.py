"""Owns what every test shares: absent programs skip visibly, and are red where all must run."""

import os
import signal

import pytest

from tests.standin.fixture import standin, vendor
from tests.support.programs import install_line, is_present

__all__ = ["standin", "vendor"]

ALL = os.environ.get("SNAKEPIT_TEST_ALL") == "1"


def pytest_configure() -> None:
    """What the tests start must hear Ctrl-C, also where a shell (`&`, nohup) had us ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--repeat", type=int, default=1, help="run each test so many times")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    times = metafunc.config.getoption("repeat")
    if times > 1:
        metafunc.fixturenames.append("repetition")
        metafunc.parametrize("repetition", range(times))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no core is idle at the end."""
    items.sort(key=lambda item: item.path.parent.name != "real")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if not is_present(program):
                message = f"{program} is not on this machine; {install_line(program)}"
                if ALL:
                    pytest.fail(message, pytrace=False)
                pytest.skip(message)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    outcome = yield
    report = outcome.get_result()
    if ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"

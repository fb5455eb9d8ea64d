"""Owns the line that says at how many points a transition was killed."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    points = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "points"
    ]
    if points:
        terminalreporter.write_line(f"killed at {sum(points)} points in {len(points)} scenes")

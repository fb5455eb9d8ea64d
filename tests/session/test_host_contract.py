"""The contract of a host, on real tmux and on the fake that stands in for it."""

from collections.abc import Iterator

import pytest

from snakepit.session.base import Host
from snakepit.session.tmux import TmuxHost
from tests.contract.host_contract import HostContract
from tests.support.fake_host import FakeHost
from tests.support.tmux import private_host


@pytest.mark.needs("tmux")
class TestTmuxHost(HostContract):
    @pytest.fixture
    def host(self) -> Iterator[TmuxHost]:
        with private_host() as host:
            yield host

    def finish(self, host: Host, name: str, status: int) -> None:
        host.send_text(name, str(status))
        host.send_key(name, "Enter")


class TestFakeHost(HostContract):
    @pytest.fixture
    def host(self) -> FakeHost:
        return FakeHost()

    def finish(self, host: Host, name: str, status: int) -> None:
        assert isinstance(host, FakeHost)
        host.finish(name, status)

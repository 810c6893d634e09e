"""What the front remembers of heads stays small, whatever clients send."""

import pytest

from api.front import fast_path, hosts
from api.front.fast_path import directives_of
from api.front.hosts import KnownHosts

LONG = 50_000


def test_a_host_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownHosts(())
    known.allow("localhost")
    monkeypatch.delattr(hosts, "check_host")
    assert known.allow("localhost")


def test_a_long_host_is_not_remembered() -> None:
    known, host = KnownHosts(()), "localhost" + LONG * "."
    assert known.allow(host)
    assert known._known == set()  # noqa: SLF001  what fills the memory


def test_cache_control_is_parsed_once() -> None:
    assert directives_of("no-cache, max-age=77") is directives_of("no-cache, max-age=77")


def test_a_long_cache_control_is_not_remembered() -> None:
    remembered = fast_path._remembered_directives.cache_info  # noqa: SLF001  what fills the memory
    before = remembered().currsize
    directives_of("no-cache, " + LONG * "x")
    directives_of("no-cache, " + 300 * "y")
    assert remembered().currsize == before

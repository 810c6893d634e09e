"""What any test may ask for. Fixtures are at most two deep, which unit/test_shape_of_tests.py counts."""

import gc
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.config import Settings
from shared.db.engine import Database
from shared.request_log.overflow import RequestOverflow
from tests.at_the_end import AT_THE_END
from tests.drill_table import pytest_terminal_summary  # noqa: F401  pytest finds it by its name
from tests.installation import Installation, installed
from tests.scheduling import Lanes
from tests.servers import Servers, session_servers
from tests.stack import SESSION_STACK, Stack

TESTS = Path(__file__).parent


def pytest_configure() -> None:
    # All that is collected lives to the end of the run. Looking through it for garbage took a quarter of the time.
    gc.disable()
    # A shell lets what it starts in the background ignore Ctrl-C, and what we start would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:  # xdist's own
    return Lanes(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Those that share the stack come first. While it only waits, it takes time from the others.
    if item.path.is_relative_to(TESTS / "integration") or item.path.is_relative_to(TESTS / "unit"):
        SESSION_STACK.stop()


def pytest_unconfigure() -> None:
    AT_THE_END.close()


@pytest.fixture
def servers() -> Servers:
    """The servers that all tests of this session share."""
    return session_servers()


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Everything of one AskOnce, with a database of its own and empty caches."""
    with installed(Installation) as installation:
        yield installation


@pytest.fixture
def environment(installation: Installation) -> dict[str, str]:
    return installation.environment


@pytest.fixture
def settings(installation: Installation) -> Settings:
    return installation.settings


@pytest.fixture
def configure(installation: Installation) -> Callable[..., Settings]:
    return installation.configure


@pytest.fixture
def database(installation: Installation) -> Database:
    return installation.database


@pytest.fixture
def overflow(installation: Installation) -> RequestOverflow:
    return installation.overflow


@pytest.fixture
def stack() -> Iterator[Stack]:
    """The running stack, without faults and with its counters at zero."""
    stack = SESSION_STACK.running()
    stack.calm()
    yield stack
    stack.calm()

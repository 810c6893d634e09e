"""Clients for all tests of a file: to make one takes longer than what a test does with it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.chromium import chromium
from tests.browser.watched import Tab, opened
from tests.e2e.command_line import CommandLine
from tests.e2e.sdks import SDKS, Sdk
from tests.stack import SESSION_STACK, Stack


@pytest.fixture(scope="module", params=SDKS)
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    with closing(Sdk(request.param, SESSION_STACK.running().url(""))) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def sdks() -> Iterator[list[Sdk]]:
    url = SESSION_STACK.running().url("")
    with ExitStack() as at_the_end:
        yield [at_the_end.enter_context(closing(Sdk(name, url))) for name in SDKS]


@pytest.fixture
def on_servers(stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Commands that know the servers of the stack too."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    return CommandLine(stack, capsys, monkeypatch)


@pytest.fixture
def askonce(stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(stack, capsys, monkeypatch)


@pytest.fixture(scope="module")
def window() -> Iterator[BrowserContext]:
    """One for all tests of a file, because it keeps the files of the page as a user's browser does."""
    with chromium() as browser:
        yield browser.new_context(color_scheme="light")


@pytest.fixture
def tab(window: BrowserContext, stack: Stack) -> Iterator[Tab]:
    with opened(window, stack.url("")) as tab:
        yield tab

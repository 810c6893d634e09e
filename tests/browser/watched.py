"""A tab of the browser, and everything in it that must not happen."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect
from playwright.sync_api import Error as PageError

AXE = Path(__file__).parent / "axe" / "axe.min.js"
STANDARD = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""When an interface of this machine comes or goes, such as that of a container, Chromium gives up all calls."""

WAIT_MS = 30_000
"""While other tests use all cores, everything may be slow."""


@dataclass
class Tab:
    """A page at an address of AskOnce. `expected`: parts of error messages that a test brings about."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: [NETWORK_CHANGED])

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asks)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(each in message.text for each in self.expected):
            self.errors.append(f"{message.text} {message.location['url'].removeprefix(self.url)}")

    def _asks(self, request: Request) -> None:
        self.asked.append(f"{request.method} {request.url.removeprefix(self.url)}")
        if not request.url.startswith((f"{self.url}/", "data:")):
            self.foreign.append(request.url)

    def open(self, view: str) -> None:
        """Show a view, and wait for its heading."""
        try:
            self.page.goto(f"{self.url}/#{view}")
        except PageError as error:
            if NETWORK_CHANGED not in error.message:
                raise
            self.page.goto(f"{self.url}/#{view}")
        expect(self.page.locator("main h1:visible")).to_be_visible()

    def see(self, selector: str, text: str) -> Locator:
        """Wait until an element shows a text."""
        found = self.page.locator(selector)
        expect(found).to_contain_text(text)
        return found

    def choose(self, name: str, value: str) -> None:
        """Choose one of several that exclude each other."""
        self.page.check(f"input[name={name}][value={value}]", force=True)

    def violations(self, rules: Sequence[str] = STANDARD) -> dict[str, list[str]]:
        """Return what axe-core finds against WCAG 2.2 AA and its own rules, or only some: selectors, by rule."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        options = {"runOnly": [*rules], "resultTypes": ["violations"]}
        found: dict[str, Any] = self.page.evaluate(f"axe.run(document, {json.dumps(options)})")
        return {
            each["id"]: [" ".join(map(str, node["target"])) for node in each["nodes"]] for each in found["violations"]
        }


@contextmanager
def opened(context: BrowserContext, url: str) -> Iterator[Tab]:
    """Open a tab; at the end nothing went wrong in it, and nobody but AskOnce was asked for anything."""
    expect.set_options(timeout=WAIT_MS)
    context.set_default_timeout(WAIT_MS)
    tab = Tab(context.new_page(), url)
    try:
        yield tab
        assert not (tab.errors + tab.foreign), "\n".join(tab.errors + tab.foreign)
    finally:
        tab.page.close()

"""The page while things are empty, on their way, refused or away; and for everybody: in both schemes, on phones."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from shared.config import Settings, load_settings
from tests.api_process import api_process
from tests.browser.watched import Tab, opened
from tests.faults.held_jobs import answered
from tests.integration.asking import new_text
from tests.keys_command import askonce_keys
from tests.stack import SESSION_STACK, Stack

PHONE = 360
OF_LOOK = ("color-contrast", "scrollable-region-focusable", "target-size")
"""The rules of axe-core that may tell otherwise on a phone in dark colours."""

HIDDEN = """
    Object.defineProperty(document, "hidden", {{ configurable: true, get: () => {} }});
    document.dispatchEvent(new Event("visibilitychange"));
"""
API = "**/api/**"


def check(tab: Tab, state: str) -> None:
    """Hold what is shown now against WCAG: on a light screen, and on a dark phone, where it must not be cut."""
    assert (state, tab.violations()) == (state, {})
    screen = tab.page.viewport_size
    tab.page.emulate_media(color_scheme="dark")
    tab.page.set_viewport_size({"width": PHONE, "height": 740})
    assert (state, "phone", tab.violations(OF_LOOK)) == (state, "phone", {})
    assert (state, tab.page.evaluate("document.documentElement.scrollWidth")) == (state, PHONE)
    assert screen is not None
    tab.page.set_viewport_size(screen)
    tab.page.emulate_media(color_scheme="light")


def cut_off(page: Page) -> None:
    """Let no call of the API arrive."""
    page.route(API, lambda route: route.abort())


def enter(tab: Tab, key: str) -> None:
    tab.page.fill("#key", key)
    tab.page.press("#key", "Enter")


@pytest.fixture
def timed(window: BrowserContext, stack: Stack) -> Iterator[Tab]:
    """A tab whose time a test lets pass."""
    assert window.browser is not None
    context = window.browser.new_context()
    context.clock.install()
    with opened(context, stack.url("")) as tab:
        tab.expected.append("ERR_FAILED")
        yield tab
    context.close()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Settings]]:
    """The address of an API that asks for keys, and its settings."""
    environment = {**SESSION_STACK.running().environment, "AUTH": "on"}
    with api_process(environment, tmp_path_factory.mktemp("keyed")) as api:
        yield api.url, load_settings(environment)


def new_key(settings: Settings, *arguments: str) -> str:
    return askonce_keys(settings, "create", "page", *arguments)[0].strip()


def test_every_view_is_for_everybody(tab: Tab, stack: Stack) -> None:
    job_id = answered(stack, new_text())
    for view in ("overview", "playground", "jobs", f"jobs/{job_id}", f"requests?job_id={job_id}"):
        tab.open(view)
        tab.see("main", {"overview": "maintenance@", "playground": "curl"}.get(view, "sentiment"))
        check(tab, view)
    tab.page.locator("#requests-table tbody a").click()
    tab.see("#request-shown [aria-label=Job]", "completed")
    check(tab, "a request")


def test_a_chat_is_shown_while_it_is_made_and_can_be_stopped_by_everybody(tab: Tab, stack: Stack) -> None:
    stack.fault("stream_stall", count=1, after_chunks=3)
    tab.open("playground")
    tab.see("#snippet", "curl")
    tab.choose("way", "stream")
    tab.page.fill("#message", new_text())
    tab.page.press("#message", "Enter")
    expect(tab.page.locator("#talk .turn:nth-child(2) p")).not_to_be_empty()
    check(tab, "a chat while it is made")
    tab.page.click("#stop")
    tab.see("#chunks-said", "stopped")
    expect(tab.page.locator("#send-message")).to_be_enabled()
    check(tab, "a chat that was stopped")


def test_while_the_tab_is_hidden_nothing_is_asked(timed: Tab) -> None:
    timed.open("overview")
    timed.see("#queues", "text")
    timed.page.evaluate(HIDDEN.format("true"))
    before = len(timed.asked)
    for _ in range(3):
        timed.page.clock.run_for(60_000)
        timed.page.evaluate("fetch('/api/v1/health/live').then((response) => response.text())")
    assert timed.asked[before:] == ["GET /api/v1/health/live"] * 3
    with timed.page.expect_request("**/api/v1/overview"):
        timed.page.evaluate(HIDDEN.format("false"))


def test_an_outage_is_said_with_what_to_do_and_a_button_that_asks_again(tab: Tab) -> None:
    tab.expected.append("ERR_FAILED")
    cut_off(tab.page)
    tab.open("overview")
    tab.see("#overview-alert", "make up")
    check(tab, "an outage")
    with tab.page.expect_request("**/api/v1/statistics?*"):
        tab.page.get_by_role("button", name="Try again").click()


def test_a_page_of_which_a_part_does_not_come_is_loaded_once_more(tab: Tab) -> None:
    tab.expected.append("ERR_FAILED")
    tab.page.route("**/list.js", lambda route: route.abort(), times=1)
    tab.open("overview")
    tab.see("#queues", "text")


def test_a_page_of_which_a_part_is_missing_says_so(tab: Tab) -> None:
    tab.expected.append("ERR_FAILED")
    tab.page.route("**/list.js", lambda route: route.abort())
    tab.open("overview")
    expect(tab.page.locator("#broken")).to_be_visible()


def test_every_view_goes_on_soon_after_an_outage(timed: Tab, stack: Stack) -> None:
    job_id = answered(stack, new_text())
    timed.open(f"requests?job_id={job_id}")
    timed.page.locator("#requests-table tbody a").click()
    timed.see("#request-shown", "completed")
    request = timed.page.url.partition("#")[2]
    for view in ("playground", "overview", "requests", "jobs", f"jobs/{job_id}", request):
        cut_off(timed.page)
        timed.open(view)
        alert = timed.page.locator("[role=alert]:visible", has_text="goes on by itself")
        expect(alert).to_be_visible()
        # So long that the next try of what failed is far away.
        for _ in range(3):
            timed.page.clock.run_for(30_000)
            timed.page.evaluate("fetch('/api/v1/health').catch(() => 0)")
        timed.page.unroute(API)
        timed.page.clock.run_for(5_000)
        expect(alert).to_have_count(0)
        timed.see("main", {"overview": "maintenance@", "playground": "curl"}.get(view, "sentiment"))


def test_everything_is_reached_with_the_keyboard(tab: Tab) -> None:
    tab.open("overview")
    tab.see("#queues", "text")
    tab.page.keyboard.press("Tab")
    expect(tab.page.locator(".skip")).to_be_focused()
    for name in ("AskOnce", "Overview", "Playground"):
        tab.page.keyboard.press("Tab")
        expect(tab.page.get_by_role("link", name=name, exact=True)).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("#playground-title")).to_be_focused()
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("ArrowRight")
    expect(tab.page.locator("#stream")).to_be_visible()


def test_with_keys_the_page_asks_for_one_and_keeps_it_in_memory_only(
    window: BrowserContext, keyed: tuple[str, Settings]
) -> None:
    url, settings = keyed
    key, reader = (new_key(settings, "--scope", scope) for scope in ("admin", "read"))
    with opened(window, url) as tab:
        tab.expected += ["401", "403"]
        tab.open("overview")
        enter(tab, "ak_“wrong”")
        tab.see("#key-said", "This is no API key")
        enter(tab, "ak_wrong")
        tab.see("#key-said", "does not know this key")
        enter(tab, reader)
        tab.see("#workers", "For admins")
        tab.page.click("#key-open")
        enter(tab, key)
        tab.see("#queues", "text")
        expect(tab.page.locator("#key-form")).to_be_hidden()
        tab.page.click("a[data-view=jobs]")
        tab.see("#jobs-said", "shown")
        kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, document.body.outerHTML])"
        assert key not in tab.page.evaluate(kept)
        tab.page.reload()
        expect(tab.page.locator("#key")).to_be_visible()
        assert not any(key in each for each in tab.asked)


def test_a_wrong_key_and_an_empty_installation_are_told_to_everybody(
    window: BrowserContext, keyed: tuple[str, Settings]
) -> None:
    url, settings = keyed
    with opened(window, url) as tab:
        tab.expected += ["401", "403"]
        tab.open("overview")
        enter(tab, "ak_wrong")
        tab.see("#overview-alert", "Enter an API key")
        check(tab, "a wrong key")
        enter(tab, new_key(settings, "--scope", "read", "--tenant", "empty"))
        tab.see("main", "Nothing was asked in this time")
        expect(tab.page.locator("#overview-alert")).to_be_hidden()
        check(tab, "nothing asked")
        tab.open("jobs")
        tab.see("main", "There is no job")
        tab.open("requests")
        tab.see("main", "No request is on record")
        check(tab, "nothing on record")

"""The page at `/`, in a real browser, on everything that really runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from shared.config import load_settings
from tests.api_process import api_process
from tests.browser.chromium import chromium
from tests.browser.watched import Tab, opened
from tests.faults.held_jobs import accepted, sentiment
from tests.integration.asking import new_text
from tests.keys_command import askonce_keys
from tests.stack import Stack

PHONE_WIDTH = 360
HIDDEN = """
    Object.defineProperty(document, "hidden", {{ configurable: true, get: () => {} }});
    document.dispatchEvent(new Event("visibilitychange"));
"""
VIEWS = ("overview", "playground", "requests", "jobs")


@pytest.fixture(scope="module")
def window() -> Iterator[BrowserContext]:
    """One for all tests, because it keeps the files of the page as a user's browser does."""
    with chromium() as browser:
        yield browser.new_context(color_scheme="light")


@pytest.fixture
def tab(window: BrowserContext, stack: Stack) -> Iterator[Tab]:
    with opened(window, stack.url("")) as tab:
        yield tab


def waited(stack: Stack, text: str) -> str:
    """Ask, and wait for the end; return the job's id."""
    job_id: str = stack.predict(sentiment(text), headers={"Prefer": "wait=30"}).json()["job_id"]
    return job_id


def test_the_first_screen_says_what_was_saved_and_what_runs(tab: Tab, stack: Stack) -> None:
    body = sentiment(new_text())
    stack.predict(body, headers={"Prefer": "wait=30"})
    stack.predict(body)
    tab.open("overview")
    tab.see("[data-figure=saved]", "$")
    tab.see("[data-figure=ratio]", "%")
    tab.see("#latency", "memcached")
    tab.see("#queues", "text")
    tab.see("#providers", "breaker closed")
    tab.see("#workers", "maintenance@")
    expect(tab.page.locator("#volume-chart canvas")).to_be_visible()


def test_the_first_screen_says_how_audited_answers_drift_with_age(tab: Tab, stack: Stack) -> None:
    stack.sql("""
        INSERT INTO hourly_drift SELECT date_trunc('hour', now()), 'default', 'sentiment', 1800, verdict, audits, 0
        FROM (VALUES ('equivalent', 78), ('different', 1)) AS found (verdict, audits) RETURNING age
    """)
    tab.open("overview")
    tab.see("#audit", "30 min to 60 min")
    tab.see("#audit", "98.7 %")
    stack.sql("DELETE FROM hourly_drift RETURNING age")


def test_every_view_keeps_to_the_rules_of_accessibility_in_light_and_dark(tab: Tab, stack: Stack) -> None:
    job_id = waited(stack, new_text())
    for view in (*VIEWS, f"jobs/{job_id}", f"requests?job_id={job_id}"):
        tab.open(view)
        expect(tab.page.locator("main table:visible, main form:visible, main dl:visible").first).to_be_visible()
        assert (view, tab.violations()) == (view, {})
        tab.page.emulate_media(color_scheme="dark")
        assert (view, "dark", tab.violations(["color-contrast"])) == (view, "dark", {})
        tab.page.emulate_media(color_scheme="light")


def test_no_view_is_wider_than_a_phone(tab: Tab, stack: Stack) -> None:
    job_id = waited(stack, new_text())
    tab.page.set_viewport_size({"width": PHONE_WIDTH, "height": 740})
    for view in (*VIEWS, f"jobs/{job_id}"):
        tab.open(view)
        tab.see("main", {"overview": "maintenance@", "playground": "curl"}.get(view, "sentiment"))
        assert (view, tab.page.evaluate("document.documentElement.scrollWidth")) == (view, PHONE_WIDTH)


def test_the_playground_goes_from_a_job_to_a_hit_for_every_task_type(tab: Tab) -> None:
    tab.open("playground")
    tab.see("#snippet", "curl")
    types = tab.page.locator("#task-type option").evaluate_all("options => options.map((each) => each.value)")
    assert len(types) >= 7
    for task_type in types:
        tab.page.select_option("#task-type", task_type)
        tab.page.click("#sample" if task_type.startswith("image") else "#another")
        tab.see("#snippet", "sample.png" if task_type.startswith("image") else task_type)
        tab.page.click("#send")
        tab.see("#steps > li:nth-child(1)", "202 a job")
        tab.see("#steps > li:nth-child(2)", "completed")
        tab.see("#steps > li:nth-child(3)", "200 hit in memcached")
        expect(tab.page.locator("#send")).to_be_enabled()


def test_a_picture_is_taken_when_it_is_dropped(tab: Tab) -> None:
    tab.open("playground")
    tab.see("#snippet", "curl")
    tab.page.select_option("#task-type", "image_classification")
    tab.page.evaluate("""async () => {
        const canvas = document.createElement("canvas");
        const blob = await new Promise((done) => canvas.toBlob(done));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([blob], "dropped.png", { type: "image/png" }));
        const dropped = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
        document.querySelector("#drop").dispatchEvent(dropped);
    }""")
    tab.see("#picture-said", "dropped.png")
    tab.choose("language", "python")
    tab.see("#snippet", 'open("dropped.png", "rb")')
    tab.page.click("#send")
    tab.see("#steps-said", "a hit in memcached")


def test_the_playground_says_which_field_is_wrong(tab: Tab) -> None:
    tab.expected.append("422")
    tab.open("playground")
    tab.see("#snippet", "curl")
    tab.page.fill("#option-max_words", "3")
    tab.page.click("#send")
    tab.see("#ask-wrong", "max words: must be a whole number from 10 to 1000")
    expect(tab.page.locator("#option-max_words")).to_be_focused()


def test_a_queue_none_of_whose_workers_is_heard_is_not_shown_as_well(tab: Tab) -> None:
    def without_a_word(route: Route) -> None:
        response = route.fetch()
        document = response.json()
        workers = [{**each, "late": True, "heard_seconds": 12.5} for each in document["workers"]]
        route.fulfill(response=response, json={**document, "workers": workers})

    tab.page.route("**/api/v1/overview", without_a_word)
    tab.open("overview")
    tab.see("#queues", "not heard")
    tab.see("#workers", "13 s ago")
    tab.page.unroute("**/api/v1/overview")


def test_a_chat_is_streamed_and_the_same_again_is_a_hit(tab: Tab) -> None:
    tab.open("playground")
    tab.see("#snippet", "curl")
    tab.choose("way", "stream")
    tab.page.fill("#message", new_text())
    tab.page.press("#message", "Enter")
    tab.see("#chunks-said", "streamed from the provider")
    tab.see("#talk .turn:nth-child(2)", "simulated reply")
    tab.page.click("#again")
    tab.see("#chunks-said", "a hit in memcached")
    tab.see("#talk .turn:nth-child(4)", "simulated reply")


def test_a_chat_is_shown_while_it_is_made_and_can_be_stopped(tab: Tab, stack: Stack) -> None:
    stack.fault("stream_stall", count=1, after_chunks=3)
    tab.open("playground")
    tab.see("#snippet", "curl")
    tab.choose("way", "stream")
    tab.page.fill("#message", new_text())
    tab.page.press("#message", "Enter")
    expect(tab.page.locator("#talk .turn:nth-child(2) p")).not_to_be_empty()
    tab.page.click("#stop")
    tab.see("#chunks-said", "stopped")
    expect(tab.page.locator("#send-message")).to_be_enabled()


def test_only_models_that_chat_are_offered_for_a_chat(tab: Tab) -> None:
    tab.open("playground")
    tab.see("#snippet", "curl")
    offered = tab.page.locator("#chat-model option").all_text_contents()
    models = tab.page.evaluate("fetch('/v1/models').then((response) => response.json())")["data"]
    assert offered == [each["id"] for each in models if each["x_askonce"]["task_type"] == "chat_completion"]
    assert 0 < len(offered) < len(models)


def test_a_chat_says_what_the_api_says_of_an_unknown_model_and_no_more(tab: Tab) -> None:
    tab.expected.append("404")
    tab.open("playground")
    tab.see("#snippet", "curl")
    tab.choose("way", "stream")
    tab.page.evaluate("document.querySelector('#chat-model option').textContent = 'nobody/nothing'")
    tab.page.fill("#message", new_text())
    tab.page.press("#message", "Enter")
    said = "There is no model 'nobody/nothing' for such a request. GET /v1/models lists them."
    expect(tab.page.locator("#say-wrong")).to_have_text(said)


def test_a_request_is_shown_with_all_that_is_known_of_it(tab: Tab, stack: Stack) -> None:
    markup = f"<img src=x onerror=alert(1)> {new_text()}"
    job_id = waited(stack, markup)
    stack.predict(sentiment(markup))
    tab.open(f"requests?job_id={job_id}&outcome=memcached")
    tab.page.locator("#requests-table tbody a").click()
    tab.see("#request-shown", "Age of the answer")
    tab.see("#request-shown [aria-label=Asked]", markup)
    tab.see("#request-shown [aria-label=Answered]", "label")
    tab.see("#request-shown [aria-label=Job]", "simulated openai/gpt-oss-20b")
    assert tab.page.locator("main img[src=x]").count() == 0


def test_the_list_of_requests_is_live_and_is_filtered(tab: Tab, stack: Stack) -> None:
    tab.open("requests?task_type=sentiment")
    tab.see("#requests-said", "shown")
    job_id = waited(stack, new_text())
    tab.page.fill("#rq-job", job_id)
    tab.page.press("#rq-job", "Enter")
    expect(tab.page.locator("#requests-table tbody tr")).to_have_count(1)
    tab.page.fill("#rq-status", "418")
    tab.page.press("#rq-status", "Enter")
    tab.see("#requests-table", "Nothing matches these filters")
    assert f"job_id={job_id}" in tab.page.url


def test_a_job_is_cancelled(tab: Tab, stack: Stack) -> None:
    text = new_text()
    stack.fault("rate_limited", match=text, retry_after="600")
    tab.open(f"jobs/{accepted(stack, text)}")
    tab.page.get_by_role("button", name="Cancel").click()
    tab.see("#job-shown", "cancelled")
    expect(tab.page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_failed_job_is_retried_by_another_one(tab: Tab, stack: Stack) -> None:
    text = new_text()
    stack.fault("bad_request", match=text, count=1)
    job_id = stack.ended(accepted(stack, text))["job_id"]
    tab.open(f"jobs/{job_id}")
    tab.see("#job-shown", "provider_rejected")
    tab.page.get_by_role("button", name="Retry").click()
    tab.see("#job-shown", "completed")
    assert job_id not in tab.page.url


def test_an_address_that_names_no_view_shows_the_overview(tab: Tab) -> None:
    for name in ("constructor", "__proto__"):
        tab.open("playground")
        tab.open(name)
        expect(tab.page.locator("#view-overview h1")).to_be_visible()


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


@pytest.fixture
def timed(window: BrowserContext, stack: Stack) -> Iterator[Tab]:
    """A tab whose time a test lets pass."""
    assert window.browser is not None
    context = window.browser.new_context()
    context.clock.install()
    with opened(context, stack.url("")) as tab:
        yield tab
    context.close()


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


def test_an_outage_is_said_with_what_to_do_and_is_over_by_itself(tab: Tab) -> None:
    tab.expected.append("ERR_FAILED")
    tab.page.route("**/api/**", lambda route: route.abort())
    tab.open("overview")
    tab.see("#overview-alert", "make up")
    tab.page.unroute("**/api/**")
    tab.page.get_by_role("button", name="Try again").click()
    expect(tab.page.locator("#overview-alert")).to_be_hidden()
    tab.see("#queues", "text")


def test_with_keys_the_page_asks_for_one_and_keeps_it_in_memory_only(
    window: BrowserContext, stack: Stack, tmp_path: Path
) -> None:
    environment = {**stack.environment, "AUTH": "on"}
    settings = load_settings(environment)
    key, reader = (askonce_keys(settings, "create", "page", "--scope", scope)[0].strip() for scope in ("admin", "read"))
    with api_process(environment, tmp_path) as api, opened(window, api.url) as tab:
        tab.expected += ["401", "403"]
        tab.open("overview")
        tab.page.fill("#key", "ak_“wrong”")
        tab.page.press("#key", "Enter")
        tab.see("#key-said", "This is no API key")
        tab.page.fill("#key", "ak_wrong")
        tab.page.press("#key", "Enter")
        tab.see("#key-said", "does not know this key")
        tab.page.fill("#key", reader)
        tab.page.press("#key", "Enter")
        tab.see("#workers", "For admins")
        tab.page.click("#key-open")
        tab.page.fill("#key", key)
        tab.page.press("#key", "Enter")
        tab.see("#queues", "text")
        expect(tab.page.locator("#key-form")).to_be_hidden()
        tab.page.click("a[data-view=jobs]")
        tab.see("#jobs-said", "shown")
        kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, document.body.outerHTML])"
        assert key not in tab.page.evaluate(kept)
        tab.page.reload()
        expect(tab.page.locator("#key")).to_be_visible()
        assert not any(key in each for each in tab.asked)

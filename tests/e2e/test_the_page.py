"""The page at `/`, in a real browser, on everything that really runs."""

from playwright.sync_api import Route, expect

from tests.browser.drawn_chart import draw_chart
from tests.browser.watched import Tab
from tests.faults.held_jobs import accepted, answered, sentiment
from tests.integration.asking import new_text
from tests.stack import Stack

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MARKS = "\u061c\u200e\u200f"
ESCAPED = r"\u061c\u200e\u200f"


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


def test_the_first_screen_says_what_needs_attention(tab: Tab, stack: Stack) -> None:
    text = new_text()
    stack.fault("rate_limited", match=text, retry_after="600")
    accepted(stack, text)
    tab.open("overview")
    tab.see("#attention", "groq openai/gpt-oss-20b asks for a pause of 10 min")
    stack.cancel_live_jobs()


def test_the_label_of_the_last_bar_is_seen_as_a_whole_on_a_phone_too(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 360, "height": 740})
    assert draw_chart(tab)["Nov 27"] <= 0


def test_a_chart_tells_the_figures_of_the_bar_under_the_pointer(tab: Tab) -> None:
    draw_chart(tab, hours=24)
    box = tab.page.locator("#drawn .u-over").bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + box["width"] * 4.9 / 24, box["y"] + 50)
    tab.see("#drawn .legend", "redis 4")
    tab.see("#drawn .when", "Nov 26, 05:00")


def test_the_first_screen_says_how_audited_answers_drift_with_age(tab: Tab, stack: Stack) -> None:
    stack.sql("""
        INSERT INTO hourly_drift SELECT date_trunc('hour', now()), 'default', 'sentiment', 1800, verdict, audits, 0
        FROM (VALUES ('equivalent', 78), ('different', 1)) AS found (verdict, audits) RETURNING age
    """)
    tab.open("overview")
    tab.see("#audit", "30 min to 60 min")
    tab.see("#audit", "98.7 %")
    stack.sql("DELETE FROM hourly_drift RETURNING age")


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
    job_id = answered(stack, markup)
    stack.predict(sentiment(markup))
    tab.open(f"requests?job_id={job_id}&outcome=memcached")
    tab.page.locator("#requests-table tbody a").click()
    tab.see("#request-shown", "Age of the answer")
    tab.see("#request-shown [aria-label=Asked]", markup)
    tab.see("#request-shown [aria-label=Answered]", "label")
    tab.see("#request-shown [aria-label=Job]", "simulated openai/gpt-oss-20b")
    assert tab.page.locator("main img[src=x]").count() == 0


def test_requests_are_found_by_their_trace_which_they_and_their_job_show(tab: Tab, stack: Stack) -> None:
    job_id = answered(stack, new_text(), traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    answered(stack, new_text())
    tab.open("requests")
    tab.page.fill("#rq-trace", TRACE)
    tab.page.press("#rq-trace", "Enter")
    expect(tab.page.locator("#requests-table tbody tr")).to_have_count(1)
    tab.page.locator("#requests-table tbody a").click()
    tab.see("#request-shown [aria-label=Record]", TRACE)
    tab.open(f"jobs/{job_id}")
    tab.page.get_by_role("link", name=TRACE).click()
    tab.see("#requests-said", "1 shown")


def test_marks_of_direction_are_shown_as_escapes_and_sent_as_they_are(tab: Tab, stack: Stack) -> None:
    text = f"{new_text()} {MARKS}"
    tab.open(f"requests?job_id={answered(stack, text)}")
    tab.page.locator("#requests-table tbody a").click()
    tab.see("#request-shown [aria-label=Asked]", ESCAPED)
    tab.open("playground")
    tab.see("#snippet", "curl")
    tab.choose("way", "stream")
    tab.page.fill("#message", text)
    with tab.page.expect_request("**/chat/completions") as asked:
        tab.page.press("#message", "Enter")
    assert MARKS in asked.value.post_data_json["messages"][0]["content"]
    tab.see("#talk .turn:nth-child(1)", ESCAPED)
    tab.see("#talk .turn:nth-child(2)", ESCAPED)
    assert not set(MARKS) & set(tab.page.locator("main").inner_text())


def test_a_refused_filter_is_marked_and_shows_no_records_of_another_one(tab: Tab, stack: Stack) -> None:
    tab.expected.append("422")
    answered(stack, new_text())
    tab.open("requests")
    tab.see("#requests-table", "sentiment")
    tab.page.fill("#rq-trace", "no trace")
    tab.page.press("#rq-trace", "Enter")
    tab.see("#requests-alert", "32 hexadecimal digits")
    expect(tab.page.locator("#rq-trace")).to_have_attribute("aria-invalid", "true")
    expect(tab.page.locator("#requests-table tr")).to_have_count(0)


def test_the_list_of_requests_is_live_and_is_filtered(tab: Tab, stack: Stack) -> None:
    tab.open("requests?task_type=sentiment")
    tab.see("#requests-said", "shown")
    job_id = answered(stack, new_text())
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

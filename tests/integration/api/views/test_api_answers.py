"""Answers are data: a hostile one is not cached, or comes as JSON alone, in no header and no page."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared.domain.answer import Usage
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import ImageClassification, TaskType
from shared.jobs.errors import ProviderRejected
from tests.integration.api_client import Api, data_url
from tests.integration.asking import new_text, png
from tests.task_types import NAMED
from workers.providers.base import Completion, ModelCall, completed
from workers.providers.chat_completion import parse_reply

MARK = "mark4711"
HOSTILE = f'</script><script>{MARK}()</script>\r\nSet-Cookie: {MARK}=1\r\n\r\n<img src=x onerror={MARK}>"\\'
JSON = ("application/json", "application/problem+json")


def says(answer: object) -> Callable[[ModelCall], Completion]:
    """Return a provider's step that reads what a model said as the real ones do. `answer`: text, or parsed JSON."""

    def step(call: ModelCall) -> Completion:
        work = call.task_type.work
        if isinstance(work, ImageClassification):
            return completed(lambda: work.read(call.options, answer), Usage(), None)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        reply = parse_reply({"choices": [{"finish_reason": "stop", "message": {"content": text}}]})
        return completed(lambda: work.read(call.options, reply), Usage(), None)

    return step


def asked(task_type: TaskType) -> dict[str, Any]:
    """Return a new request of this type."""
    given = data_url(png()) if task_type.takes_picture else new_text()
    return {"task_type": task_type.name, "input": given, "options": dict(task_type.example.options)}


def hostile(value: Any) -> Any:
    """Replace every text in an answer."""
    match value:
        case dict():
            return {name: hostile(each) for name, each in value.items()}
        case list():
            return [hostile(each) for each in value]
    return HOSTILE[:100] if isinstance(value, str) else value


def is_data(response: TestResponse) -> bool:
    """Tell whether a response is JSON that no browser takes for anything else, and whose headers say nothing of it."""
    assert response.mimetype in JSON
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert all(value.isascii() and value.isprintable() for _, value in response.headers)
    return "Set-Cookie" not in response.headers and not any(MARK in value for _, value in response.headers)


def is_refused(api: Api, task_type: TaskType, said: str) -> bool:
    """Tell whether an answer leaves its job to be tried again, and nothing in the tiers."""
    api.provider.default = says(said)
    body = asked(task_type)
    job = api.run(api.post(body))
    kept = api.post(body, cache_control="only-if-cached").status_code
    return (job["status"], job["result"], job["attempts"], kept) == ("queued", None, 1, 504)


def test_an_answer_that_can_not_be_stored_is_not_cached(api: Api) -> None:
    said = ("", " \n", "<html>Sorry</html>\x00", "\ud800")
    tried = [(task_type.name, each, is_refused(api, task_type, each)) for task_type in TASK_TYPES for each in said]
    assert [each for each in tried if not each[-1]] == []


def test_an_answer_of_another_form_is_not_cached(api: Api) -> None:
    said = '<html>{"label": "positive", "score": 2}</html>'
    formed = [task_type for task_type in TASK_TYPES if not isinstance(task_type.example.answer, str)]
    assert [task_type.name for task_type in formed if not is_refused(api, task_type, said)] == []


# The answers of sentiment are three words.
@pytest.mark.parametrize("name", [task_type.name for task_type in TASK_TYPES if task_type.name != "sentiment"])
def test_an_answer_with_markup_and_line_breaks_comes_as_json_alone(api: Api, name: str) -> None:
    body = asked(NAMED[name])
    api.provider.default = says(hostile(NAMED[name].example.answer))
    first = api.post(body, x_request_id="mine")
    job = api.run(first)
    hit = api.post(body)
    assert (job["status"], hit.status_code) == ("completed", 200)
    assert MARK in hit.text
    assert hit.json["result"] == job["result"]
    api.records()
    pages = ("jobs", "requests", "requests?outcome=memcached", "statistics", f"jobs/{job['job_id']}")
    shown = [first, hit, *(api.get(f"/api/v1/{page}") for page in pages)]
    assert [each.status_code for each in shown] == [202, *[200] * 6]
    assert all(map(is_data, shown))


def test_what_a_provider_says_of_an_error_comes_as_json_alone(api: Api) -> None:
    api.provider.default = ProviderRejected(HOSTILE)
    job = api.run(api.post(asked(NAMED["chat"])))
    assert (job["status"], job["error"]["code"]) == ("failed", "provider_rejected")
    assert is_data(api.get(f"/api/v1/jobs/{job['job_id']}"))


def test_what_a_client_asks_comes_back_as_json_alone(api: Api) -> None:
    body = {"task_type": "chat", "input": HOSTILE, "options": {"system": HOSTILE}}
    response = api.post(body, prefer=f"wait=0, {MARK}", user_agent=MARK)
    api.records()
    page = api.get("/api/v1/requests").json["requests"]
    logged = api.get(page[0]["urls"]["self"])
    assert logged.json["request"]["input"] == HOSTILE
    assert all(map(is_data, (response, logged)))

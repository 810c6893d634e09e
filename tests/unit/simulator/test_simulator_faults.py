import json
import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VIT = "/hf-inference/models/google/vit-base-patch16-224"
KEY = {"Authorization": "Bearer x"}


def ask(client: FlaskClient) -> TestResponse:
    body = {"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": "Hi"}]}
    return client.post("/openai/v1/chat/completions", json=body, headers=KEY)


def classify(client: FlaskClient) -> TestResponse:
    return client.post(VIT, data=b"GIF89a picture", content_type="image/gif", headers=KEY)


def order(client: FlaskClient, fault: str, **members: object) -> None:
    assert client.post("/admin/faults", json={"fault": fault, **members}).status_code == 201


def calls(client: FlaskClient) -> dict[str, Any]:
    report: dict[str, Any] = client.get("/admin/calls").json  # type: ignore[assignment]
    return report


def test_a_rate_limited_call_carries_retry_after(client: FlaskClient) -> None:
    order(client, "rate_limited", retry_after="7")
    refused = ask(client)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert refused.json["error"]["code"] == "rate_limit_exceeded"  # type: ignore[index]


def test_a_retry_after_may_be_a_date(client: FlaskClient) -> None:
    order(client, "rate_limited", retry_after="Sun, 22 Nov 2026 12:00:00 GMT")
    assert ask(client).headers["retry-after"] == "Sun, 22 Nov 2026 12:00:00 GMT"


def test_a_rate_limit_without_retry_after_can_be_ordered(client: FlaskClient) -> None:
    order(client, "rate_limited", retry_after="")
    assert "retry-after" not in ask(client).headers


def test_hugging_face_says_its_rate_limit_in_a_header_of_its_own(client: FlaskClient) -> None:
    order(client, "rate_limited")
    assert classify(client).headers["RateLimit"] == '"api";r=0;t=55'


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("server_error", 500),
        ("loading", 503),
        ("html", 502),
        ("unauthorized", 401),
        ("payment_required", 402),
        ("not_found", 404),
        ("gone", 410),
        ("bad_request", 400),
    ],
)
def test_a_refusal_has_its_usual_status_with_both_providers(client: FlaskClient, fault: str, status: int) -> None:
    order(client, fault)
    assert (ask(client).status_code, classify(client).status_code) == (status, status)


def test_a_refusal_may_have_another_status(client: FlaskClient) -> None:
    order(client, "server_error", status=529)
    assert ask(client).status_code == 529


def test_a_loading_model_says_how_long_it_may_take(client: FlaskClient) -> None:
    order(client, "loading")
    assert classify(client).json == {
        "error": "Model google/vit-base-patch16-224 is currently loading",
        "estimated_time": 20.0,
    }


def test_an_html_page_can_stand_in_for_json(client: FlaskClient) -> None:
    order(client, "html")
    assert ask(client).mimetype == "text/html"


def test_a_truncated_answer_says_so(client: FlaskClient) -> None:
    whole = ask(client).json
    order(client, "truncated")
    cut = ask(client).json
    assert whole is not None
    assert cut is not None
    assert cut["choices"][0]["finish_reason"] == "length"
    assert whole["choices"][0]["message"]["content"].startswith(cut["choices"][0]["message"]["content"])


def test_an_empty_answer_has_no_text_and_no_labels(client: FlaskClient) -> None:
    order(client, "empty")
    assert ask(client).json["choices"][0]["message"]["content"] == ""  # type: ignore[index]
    assert classify(client).json == []


def test_garbage_is_no_json_and_still_200(client: FlaskClient) -> None:
    order(client, "garbage")
    answer = ask(client)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="codec"):
        json.loads(answer.data)


def test_a_misshapen_answer_is_json_of_another_shape(client: FlaskClient) -> None:
    order(client, "misshapen")
    assert "choices" not in (ask(client).json or {"choices": None})


def test_a_slow_call_is_answered_in_the_end(client: FlaskClient) -> None:
    order(client, "slow", delay_seconds=0.01)
    assert ask(client).status_code == 200


def test_a_hanging_call_is_answered_once_the_faults_are_cleared(client: FlaskClient) -> None:
    order(client, "hang")
    answers: list[int] = []
    hanging = threading.Thread(target=lambda: answers.append(ask(client.application.test_client()).status_code))
    hanging.start()
    while not calls(client)["in_flight"]:
        hanging.join(0.01)
    client.delete("/admin/faults")
    hanging.join(10)
    assert answers == [200]


def test_a_reset_call_is_counted_and_not_paid(client: FlaskClient) -> None:
    order(client, "reset")
    with pytest.raises(ConnectionAbortedError):
        ask(client)
    report = calls(client)
    assert (report["total"], report["paid"], report["in_flight"]) == (1, 0, 0)


def test_a_cut_call_is_paid(client: FlaskClient) -> None:
    order(client, "cut")
    answer = ask(client)
    with pytest.raises(ConnectionAbortedError):
        answer.get_data()
    assert calls(client)["paid"] == 1


def test_a_dripping_call_arrives_whole(client: FlaskClient) -> None:
    whole = ask(client).data
    order(client, "drip", delay_seconds=0)
    assert ask(client).data == whole

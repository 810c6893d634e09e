import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

GROQ_MODEL = "openai/gpt-oss-20b"
VIT = "/hf-inference/models/google/vit-base-patch16-224"
KEY = {"Authorization": "Bearer x"}


def ask(client: FlaskClient, text: str = "Hi", model: str = GROQ_MODEL) -> TestResponse:
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return client.post("/openai/v1/chat/completions", json=body, headers=KEY)


def classify(client: FlaskClient) -> TestResponse:
    return client.post(VIT, data=b"GIF89a picture", content_type="image/gif", headers=KEY)


def order(client: FlaskClient, fault: str, **members: object) -> None:
    assert client.post("/admin/faults", json={"fault": fault, **members}).status_code == 201


def test_a_fault_strikes_as_often_as_ordered(client: FlaskClient) -> None:
    order(client, "server_error", count=2)
    assert [ask(client).status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_without_a_count_strikes_until_cleared(client: FlaskClient) -> None:
    order(client, "server_error")
    assert {ask(client).status_code for _ in range(3)} == {500}
    client.delete("/admin/faults")
    assert ask(client).status_code == 200


def test_faults_strike_in_the_order_they_were_added(client: FlaskClient) -> None:
    order(client, "server_error", count=1)
    order(client, "gone", count=1)
    assert [ask(client).status_code for _ in range(3)] == [500, 410, 200]


def test_a_fault_concerns_only_its_provider(client: FlaskClient) -> None:
    order(client, "server_error", provider="huggingface")
    assert (ask(client).status_code, classify(client).status_code) == (200, 500)


def test_a_fault_concerns_only_its_model(client: FlaskClient) -> None:
    order(client, "server_error", model="openai/gpt-oss-120b")
    assert (ask(client).status_code, ask(client, model="openai/gpt-oss-120b").status_code) == (200, 500)


def test_a_fault_concerns_only_bodies_that_match(client: FlaskClient) -> None:
    order(client, "server_error", match="día")
    assert (ask(client, "Good day").status_code, ask(client, "Buen día").status_code) == (200, 500)


def test_the_listing_shows_what_is_left_of_a_fault(client: FlaskClient) -> None:
    order(client, "gone", count=2)
    ask(client)
    assert client.get("/admin/faults").json[0]["count"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"fault": "mood"},
        {"fault": "gone", "provider": "mistral"},
        {"fault": "gone", "count": 0},
        {"fault": "gone", "delay_seconds": -1},
        {"fault": "gone", "status": 99},
        {"fault": "gone", "typo": 1},
        [],
    ],
)
def test_an_order_that_makes_no_sense_is_400(client: FlaskClient, body: object) -> None:
    assert client.post("/admin/faults", json=body).status_code == 400


@pytest.mark.parametrize("seconds", [-1, "1", None, True])
def test_a_latency_must_be_a_number_from_0(client: FlaskClient, seconds: object) -> None:
    assert client.put("/admin/latency", json={"seconds": seconds}).status_code == 400


def test_the_latency_can_be_set_and_read(client: FlaskClient) -> None:
    client.put("/admin/latency", json={"seconds": 0.25})
    assert client.get("/admin/latency").json == {"seconds": 0.25}

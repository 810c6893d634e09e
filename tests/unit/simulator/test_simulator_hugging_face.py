import base64
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from simulator import create_app

VIT = "/hf-inference/models/google/vit-base-patch16-224"
PICTURE = b"\x89PNG\r\n\x1a\nany picture"
KEY = {"Authorization": "Bearer x"}


def classify(client: FlaskClient, picture: bytes = PICTURE, path: str = VIT) -> TestResponse:
    return client.post(path, data=picture, content_type="image/png", headers=KEY)


def caption(client: FlaskClient, picture: bytes = PICTURE, text: str = "Describe.", **order: object) -> TestResponse:
    url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "zai-org/GLM-4.5V", "messages": [{"role": "user", "content": content}], **order}
    return client.post("/v1/chat/completions", json=body, headers=KEY)


def said(response: TestResponse) -> str:
    assert response.status_code == 200, response.text
    content: str = response.json["choices"][0]["message"]["content"]  # type: ignore[index]
    return content


def labels(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json  # type: ignore[assignment]
    return found


def test_a_picture_gets_five_labels_best_first(client: FlaskClient) -> None:
    scores = [label["score"] for label in labels(classify(client))]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) <= 1


def test_the_same_picture_gets_the_same_labels_from_another_simulator(client: FlaskClient) -> None:
    assert classify(client).data == classify(create_app().test_client()).data


def test_another_picture_gets_other_labels(client: FlaskClient) -> None:
    assert classify(client).data != classify(client, PICTURE + b"!").data


def test_json_may_ask_for_a_hundred_labels(client: FlaskClient) -> None:
    order = {"inputs": base64.b64encode(PICTURE).decode(), "parameters": {"top_k": 100}}
    hundred = labels(client.post(VIT, json=order, headers=KEY))
    assert len({label["label"] for label in hundred}) == 100
    assert sum(label["score"] for label in hundred) <= 1
    assert hundred[:5] == labels(classify(client))


def test_the_sample_cat_is_recognised(client: FlaskClient) -> None:
    cat = client.get("/pictures/cat.png").data
    assert labels(classify(client, cat))[0]["label"] == "Egyptian cat"
    assert "cat" in said(caption(client, cat))


def test_the_nsfw_model_has_two_labels(client: FlaskClient) -> None:
    found = labels(classify(client, path="/hf-inference/models/Falconsai/nsfw_image_detection"))
    assert {label["label"] for label in found} == {"normal", "nsfw"}


@pytest.mark.parametrize("content", [b"no picture", b""])
def test_bytes_that_are_no_picture_are_400(client: FlaskClient, content: bytes) -> None:
    assert classify(client, content).status_code == 400


@pytest.mark.parametrize("order", [{}, {"inputs": "*"}, {"inputs": 1}, {"inputs": "", "parameters": {"top_k": 0}}, []])
def test_json_without_a_picture_is_400(client: FlaskClient, order: object) -> None:
    assert client.post(VIT, json=order, headers=KEY).status_code == 400


def test_a_missing_key_is_401(client: FlaskClient) -> None:
    refused = client.post(VIT, data=PICTURE, content_type="image/png")
    assert (refused.status_code, refused.json) == (401, {"error": "Invalid username or password."})


def test_an_unknown_classifier_is_404(client: FlaskClient) -> None:
    assert classify(client, path="/hf-inference/models/nobody/nothing").status_code == 404


def test_a_caption_is_one_sentence_in_a_completion(client: FlaskClient) -> None:
    answer = caption(client)
    assert said(answer).count(".") == 1
    assert "x_groq" not in (answer.json or {})


def test_a_caption_keeps_to_the_words_it_may_have(client: FlaskClient) -> None:
    assert len(said(caption(client, text="At most 3 words.")).split()) == 3


def test_a_model_may_be_named_with_its_provider(client: FlaskClient) -> None:
    assert said(caption(client, model="zai-org/GLM-4.5V:novita"))


def test_an_unknown_chat_model_is_404_with_an_error_object(client: FlaskClient) -> None:
    refused = caption(client, model="nobody/nothing")
    assert refused.status_code == 404
    assert refused.json["error"]["code"] == "model_not_found"  # type: ignore[index]


def test_a_chat_with_bytes_that_are_no_picture_is_400(client: FlaskClient) -> None:
    assert caption(client, b"no picture").status_code == 400

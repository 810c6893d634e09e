import base64
import math
import struct
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from simulator import create_app

FEATURES = "/hf-inference/models/{}/pipeline/feature-extraction"
COMPATIBLE = "/compatible/v1/embeddings"


def ask(client: FlaskClient, path: str = COMPATIBLE, **order: object) -> TestResponse:
    body = {"model": "any", **order}
    return client.post(path, json=body, headers={"Authorization": "Bearer x"})


def embedded(client: FlaskClient, path: str = COMPATIBLE, **order: object) -> list[Any]:
    response = ask(client, path, **order)
    assert response.status_code == 200, response.text
    return [each["embedding"] for each in (response.json or {})["data"]]


def test_a_text_has_a_vector_of_length_1(client: FlaskClient) -> None:
    (vector,) = embedded(client, input="Hi")
    assert len(vector) == 64
    assert math.hypot(*vector) == pytest.approx(1)


def test_the_answer_has_openais_shape(client: FlaskClient) -> None:
    assert ask(client, input=["eight ch", "four"], dimensions=1).json == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [pytest.approx(1, abs=2)]},
            {"object": "embedding", "index": 1, "embedding": [pytest.approx(1, abs=2)]},
        ],
        "model": "any",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


def test_a_vector_is_the_same_alone_and_among_others_and_in_another_simulator(client: FlaskClient) -> None:
    assert embedded(client, input=["a", "b"])[1:] == embedded(create_app().test_client(), input="b")


def test_another_text_or_model_or_size_has_another_vector(client: FlaskClient) -> None:
    orders: list[dict[str, Any]] = [{"input": "a"}, {"input": "b"}, {"input": "a", "model": "other"}]
    vectors = [embedded(client, **order)[0] for order in orders]
    vectors.append(embedded(client, input="a", dimensions=65)[0][:64])
    assert len({tuple(vector) for vector in vectors}) == 4


@pytest.mark.parametrize(("given", "count"), [([1, 2, 3], 1), ([[1, 2], [3]], 2)])
def test_token_ids_are_embedded_and_counted(client: FlaskClient, given: object, count: int) -> None:
    document = ask(client, input=given).json or {}
    assert (len(document["data"]), document["usage"]["prompt_tokens"]) == (count, 3)


def test_base64_holds_the_same_numbers_as_little_endian_floats(client: FlaskClient) -> None:
    (vector,) = embedded(client, input="Hi")
    (packed,) = embedded(client, input="Hi", encoding_format="base64")
    assert list(struct.unpack("<64f", base64.b64decode(packed))) == vector


@pytest.mark.parametrize(
    ("order", "param"),
    [
        ({}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": ["a", [1]]}, "input"),
        ({"input": [1, -1]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "dimensions": 4097}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, order: dict[str, Any], param: str) -> None:
    refused = ask(client, **order)
    assert refused.status_code == 400
    assert (refused.json or {})["error"]["param"] == param


def test_hugging_face_has_no_unknown_model_and_wants_a_key(client: FlaskClient) -> None:
    assert ask(client, FEATURES.format("nobody/nothing"), inputs="a").status_code == 404
    assert client.post(FEATURES.format("BAAI/bge-m3"), json={"inputs": "a"}).status_code == 401


def test_hugging_face_gives_a_vector_for_each_text_and_one_for_a_text_alone(client: FlaskClient) -> None:
    path = FEATURES.format("BAAI/bge-m3")
    listed, alone = (ask(client, path, inputs=given).json for given in (["a", "b"], "b"))
    assert [len(vector) for vector in listed] == [64, 64]
    assert listed[1] == alone
    assert [ask(client, path, inputs=given).status_code for given in ([], "", [1], None)] == [400] * 4


def test_faults_and_the_call_log_know_embeddings(client: FlaskClient) -> None:
    client.post("/admin/faults", json={"fault": "server_error", "provider": "openai", "count": 1})
    assert [ask(client, input="a").status_code for _ in range(2)] == [500, 200]
    report = client.get("/admin/calls").json or {}
    assert (report["total"], report["paid"], report["by_provider"]) == (2, 1, {"openai": 2})


@pytest.mark.parametrize(
    ("path", "model"),
    [("/openai/v1", "openai/gpt-oss-20b"), ("/v1", "google/gemma-3-27b-it"), ("/compatible/v1", "simulated-chat")],
)
def test_every_kind_lists_its_models_and_counts_no_call(client: FlaskClient, path: str, model: str) -> None:
    listed = client.get(f"{path}/models").json or {}
    assert listed["object"] == "list"
    assert model in [each["id"] for each in listed["data"]]
    assert (client.get("/admin/calls").json or {})["total"] == 0

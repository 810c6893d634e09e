"""The OpenAPI document says what the API does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from examples import RULES, SIMULATED

from api.app import create_app
from api.bootstrap import build_api
from api.schemas.jobs import words
from shared.config import load_settings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = create_app(build_api(load_settings(SIMULATED))).test_client().get("/openapi.json").json
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                shared = methods.get("parameters", [])
                yield path, {**operation, "parameters": [*shared, *operation.get("parameters", [])]}


def parameter(document: dict[str, Any], operation_id: str, name: str) -> dict[str, Any]:
    (found,) = (
        each["schema"]
        for _, operation in operations(document)
        if operation["operationId"] == operation_id
        for each in operation["parameters"]
        if each["name"] == name
    )
    schema: dict[str, Any] = found
    return schema


def schema_of(document: dict[str, Any], media_type: str) -> dict[str, Any]:
    body = document["paths"]["/api/v1/predict"]["post"]["requestBody"]
    schema: dict[str, Any] = body["content"][media_type]["schema"]
    return schema


def test_every_operation_has_an_id_of_its_own(document: dict[str, Any]) -> None:
    ids = [operation.get("operationId") for _, operation in operations(document)]
    assert None not in ids
    assert len(set(ids)) == len(ids)


def test_every_operation_says_how_an_error_looks(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        shape = "OpenAIError" if path.startswith("/v1/") else "Problem"
        assert operation["responses"]["default"] == {"$ref": f"#/components/responses/{shape}"}


@pytest.mark.parametrize(
    ("path", "method", "required"),
    [
        ("/api/v1/predict", "post", True),
        ("/api/v1/keys", "post", True),
        ("/api/v1/keys/{key_id}", "patch", False),
        ("/api/v1/keys/{key_id}/rotate", "post", False),
    ],
)
def test_a_body_may_be_left_out_where_nothing_in_it_is_required(
    document: dict[str, Any], path: str, method: str, *, required: bool
) -> None:
    assert document["paths"][path][method]["requestBody"]["required"] is required


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [("list_requests", "from"), ("list_requests", "to"), ("read_statistics", "from"), ("read_statistics", "to")],
)
def test_a_time_is_a_date_or_a_time(document: dict[str, Any], operation_id: str, name: str) -> None:
    schema = parameter(document, operation_id, name)
    assert schema["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("get_job", "job_id"),
        ("cancel_job", "job_id"),
        ("get_request", "request_id"),
        ("list_jobs", "cursor"),
        ("list_requests", "cursor"),
        ("list_requests", "job_id"),
    ],
)
def test_an_id_is_a_uuid(document: dict[str, Any], operation_id: str, name: str) -> None:
    schema = parameter(document, operation_id, name)
    assert (schema["type"], schema["format"]) == ("string", "uuid")


def test_a_cache_key_is_64_hex_digits(document: dict[str, Any]) -> None:
    assert parameter(document, "purge_by_key", "key")["pattern"] == "^[0-9a-f]{64}$"


def component(document: dict[str, Any], schema: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].removeprefix("#/components/schemas/")]
    return found


def bodies(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = [component(document, each) for each in schema_of(document, "application/json")["oneOf"]]
    return {each["properties"]["task_type"]["const"]: each for each in found}


def test_every_field_but_the_input_may_be_null_where_it_may_be_left_out(document: dict[str, Any]) -> None:
    for name, body in bodies(document).items():
        fields = body["properties"]
        assert fields["input"]["type"] == "string"
        assert fields["model"]["anyOf"][1] == {"type": "null"}
        assert ("anyOf" in fields["options"]) == (name != "translation")


def options_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    given = bodies(document)[name]["properties"]["options"]
    found: dict[str, Any] = component(document, given["anyOf"][0] if "anyOf" in given else given)
    return found


def test_an_option_may_be_null_where_it_may_be_left_out(document: dict[str, Any]) -> None:
    options = options_of(document, "translation")["properties"]
    assert (options["target_language"]["type"], options["source_language"]["type"]) == ("string", ["string", "null"])
    options = options_of(document, "chat")["properties"]
    assert {name: option["type"][1] for name, option in options.items()} == dict.fromkeys(options, "null")


def test_a_text_has_some_character_that_is_no_space(document: dict[str, Any]) -> None:
    given = bodies(document)["summarization"]["properties"]["input"]
    assert re.search(given["pattern"], "a b")
    assert not any(re.search(given["pattern"], wrong) for wrong in ("", "  ", "a\0b", "\n"))


def test_a_request_may_name_the_models_that_this_installation_offers(document: dict[str, Any]) -> None:
    models = {name: body["properties"]["model"]["anyOf"][0]["enum"] for name, body in bodies(document).items()}
    assert models == {name: [*offer.allowed_models] for name, offer in RULES.catalogue.items()}


def test_a_picture_is_given_by_a_url(document: dict[str, Any]) -> None:
    given = bodies(document)["image_captioning"]["properties"]["input"]
    assert all(re.search(given["pattern"], url) for url in ("https://a/b", "HTTP://a/", "data:image/png;base64,AA=="))
    assert not any(re.search(given["pattern"], wrong) for wrong in ("", "a cat", "ftp://a/b", " http://a/"))


def form(document: dict[str, Any]) -> dict[str, Any]:
    return component(document, schema_of(document, "multipart/form-data"))


def test_a_form_has_the_same_fields_and_a_file(document: dict[str, Any]) -> None:
    found = form(document)
    assert list(found["properties"]) == ["task_type", "input", "file", "options", "model"]
    assert found["properties"]["task_type"]["enum"] == list(RULES.catalogue)
    assert found["additionalProperties"] is False


def test_a_form_has_the_options_of_its_task_type(document: dict[str, Any]) -> None:
    wanted = {name: body["properties"]["options"] for name, body in bodies(document).items()}
    ways = [each["properties"] for each in form(document)["anyOf"]]
    assert {each["task_type"]["const"] for each in ways} == wanted.keys()
    assert all(each["options"] == wanted[each["task_type"]["const"]] for each in ways)


def test_only_a_picture_may_be_a_file(document: dict[str, Any]) -> None:
    ways = {each["title"]: (each["required"][1], each["propertyNames"]["enum"]) for each in form(document)["anyOf"]}
    by_input = {f"{words(name)}ByInput" for name in RULES.catalogue}
    by_file = {f"{words(name)}ByFile" for name, offer in RULES.catalogue.items() if offer.task_type.takes_picture}
    assert ways.keys() == by_input | by_file
    for title, (given, names) in ways.items():
        assert title.endswith(given.title())
        assert ("file" in names, "input" in names) == (given == "file", given == "input")


def test_the_options_of_a_form_are_json(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/predict"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert content["encoding"]["options"] == {"contentType": "application/json"}

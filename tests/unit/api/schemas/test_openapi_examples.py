"""Every schema of the OpenAPI document is one, every example is of its schema, and texts are plain."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from examples import ANSWER, COMPLETED, QUEUED, SIMULATED

from api.app import create_app
from api.bootstrap import build_api
from api.http.documents import hit_body, job_document, render
from api.problem_types.catalogue import PROBLEM_TYPES
from api.schemas.job_examples import ACCEPTED, CANCELLED, FAILED, HIT
from api.schemas.job_examples import COMPLETED as DONE
from shared.cache.lookup import Lookup, Visit
from shared.config import load_settings
from shared.domain.offers import TASK_TYPE_NAMES
from shared.domain.registry import TASK_TYPES
from shared.jobs.job import Job, JobFailure, JobStatus

FAILURE = JobFailure("bad_answer", "Bad answer", "Empty.", retryable=True)
FAILED_JOB = replace(COMPLETED, status=JobStatus.FAILED, result=None, failure=FAILURE)
ROLES = re.compile(r":\w+:`|``|\bRaises\b|<[a-z]+>|\*\*\*|\\\\")
"""What documentation tools other than Markdown would need."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = create_app(build_api(load_settings(SIMULATED))).test_client().get("/openapi.json").json
    return found


def validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"components": document["components"], "allOf": [schema]})


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from (operation for method, operation in methods.items() if method != "parameters")


def contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every body of a request or response that has examples, with schema."""
    responses = [*document["components"]["responses"].values()]
    for operation in operations(document):
        responses += [each for each in operation["responses"].values() if "content" in each]
        yield from operation.get("requestBody", {}).get("content", {}).values()
    yield from (content for response in responses for content in response["content"].values())


def test_every_schema_is_a_json_schema(document: dict[str, Any]) -> None:
    for schema in (*document["components"]["schemas"].values(), *(each["schema"] for each in contents(document))):
        jsonschema_rs.meta.validate(schema)


def test_every_example_is_what_its_schema_says(document: dict[str, Any]) -> None:
    seen = set()
    for content in contents(document):
        validate = validator(document, content["schema"])
        for name, example in content.get("examples", {}).items():
            found = document["components"]["examples"][name] if "$ref" in example else example
            validate.validate(found["value"])
            seen.add(name)
    # Some errors may come from anywhere, or from nowhere any more; all others are of an operation.
    unseen = document["components"]["examples"].keys() - seen
    assert {name.removeprefix("openai_").removesuffix("_of_a_job") for name in unseen} <= PROBLEM_TYPES.keys()


@pytest.mark.parametrize("task_type", TASK_TYPES, ids=lambda each: str(each.name))
def test_every_task_type_has_its_examples(document: dict[str, Any], task_type: Any) -> None:
    predict = document["paths"]["/api/v1/predict"]["post"]
    job = document["paths"]["/api/v1/jobs/{job_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert task_type.name in predict["requestBody"]["content"]["application/json"]["examples"]
    for status, state in (("200", HIT), ("202", ACCEPTED)):
        shown = predict["responses"][status]["content"]["application/json"]["examples"]
        assert f"{task_type.name}_{state}" in shown
    assert {f"{task_type.name}_{state}" for state in (DONE, FAILED)} <= job["examples"].keys()
    kept = document["components"]["examples"]
    assert kept[f"{task_type.name}_{HIT}"]["value"]["result"] == task_type.example.result
    assert kept[f"{task_type.name}_{CANCELLED}"]["value"]["status"] == "cancelled"


def test_every_error_has_an_example(document: dict[str, Any]) -> None:
    codes = {each["value"].get("code") for each in document["components"]["examples"].values()}
    ours = {each.code for each in PROBLEM_TYPES.values() if not each.compatible_only}
    assert ours <= codes
    names = document["components"]["examples"].keys()
    assert {f"openai_{code}" for code in PROBLEM_TYPES} <= names


@pytest.mark.parametrize("job", [QUEUED, COMPLETED, FAILED_JOB], ids=lambda job: str(job.status))
def test_a_job_is_what_its_schema_says(document: dict[str, Any], job: Job) -> None:
    validator(document, {"$ref": "#/components/schemas/Job"}).validate(json.loads(json.dumps(job_document(job))))


def test_a_hit_is_what_its_schema_says(document: dict[str, Any]) -> None:
    lookup = Lookup((Visit("redis", "hit", ttl=3590),), ANSWER, age=10)
    found = json.loads(hit_body(render(ANSWER), lookup, "f" * 64))
    validator(document, {"$ref": "#/components/schemas/PredictJob"}).validate(found)


def test_the_result_of_another_task_type_is_not_what_a_schema_says(document: dict[str, Any]) -> None:
    found = {**json.loads(json.dumps(job_document(COMPLETED))), "task_type": "sentiment"}
    assert not validator(document, {"$ref": "#/components/schemas/Job"}).is_valid(found)


def test_a_job_is_told_apart_by_its_task_type(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    apart = schemas["Job"]["discriminator"]
    assert (apart["propertyName"], tuple(apart["mapping"])) == ("task_type", TASK_TYPE_NAMES)
    for name, reference in apart["mapping"].items():
        assert schemas[reference.rpartition("/")[2]]["properties"]["task_type"]["const"] == name
    assert [each["$ref"] for each in schemas["Job"]["oneOf"]] == [*apart["mapping"].values()]


def test_it_says_first_what_this_is(document: dict[str, Any]) -> None:
    about = document["info"]["description"]
    assert [line for line in about.splitlines() if line.startswith("#")]
    assert "/docs/errors" in about


def test_its_groups_are_in_the_order_of_use(document: dict[str, Any]) -> None:
    names = [tag["name"] for tag in document["tags"]]
    assert names[:4] == ["predict", "explain", "jobs", "tasks"]
    assert names[-2:] == ["keys", "health"]
    assert all(tag["description"].endswith(".") for tag in document["tags"])


def test_a_summary_is_a_short_sentence_without_markup(document: dict[str, Any]) -> None:
    """Swagger UI shows it as it is."""
    for operation in operations(document):
        summary = operation["summary"]
        assert summary.endswith(".")
        assert len(summary) <= 60
        assert not re.search(r"[`*_<>\n]", summary)


def test_no_text_has_stray_markup(document: dict[str, Any]) -> None:
    wrong = [text for text in _texts(document) if ROLES.search(text) or text.count("`") % 2]
    assert wrong == []


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == "description" and isinstance(child, str):
                yield child
            else:
                yield from _texts(child)
    elif isinstance(node, list):
        for child in node:
            yield from _texts(child)

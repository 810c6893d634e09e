"""What a tenant may learn by explaining a request: of its own calls, and of nobody else's."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.installation import Installation
from tests.integration.api_client import a_body, data_url
from tests.integration.asking import png
from tests.integration.key_world import bearer
from tests.integration.tenants import Tenants

EXPLAIN = "/api/v1/explain"


@pytest.fixture
def tenants(installation: Installation) -> Tenants:
    return Tenants(installation)


@pytest.fixture
def sharing(installation: Installation) -> Tenants:
    return Tenants(installation, CACHE_SCOPE="shared")


def explained(tenants: Tenants, client: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    assert tenants.api.services.request_log.flush()
    response = tenants.api.http.post(EXPLAIN, json=body, headers=client)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json
    return found


def nearly(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "input": f"{body['input']}!"}


def test_another_tenants_answer_has_another_key(tenants: Tenants) -> None:
    body, _ = tenants.answered(tenants.a)
    found = explained(tenants, tenants.b, body)
    assert (found["outcome"], found["parts"]["namespace"]) == ("miss", "bolt")
    assert found["key"] != explained(tenants, tenants.a, body)["key"]


def test_another_tenants_job_in_flight_is_not_shown(tenants: Tenants) -> None:
    body = a_body()
    tenants.ask(tenants.a, body)
    assert explained(tenants, tenants.b, body)["job"] is None


def test_where_answers_are_shared_another_tenants_job_is_not_shown_either(sharing: Tenants) -> None:
    body = a_body()
    sharing.ask(sharing.a, body)
    found = explained(sharing, sharing.b, body)
    assert (found["job"], found["outcome"]) == (None, "miss")


def test_a_colleague_sees_the_job(tenants: Tenants) -> None:
    body = a_body()
    job_id = tenants.ask(tenants.a, body).json["job_id"]
    assert explained(tenants, tenants.colleague, body)["job"]["job_id"] == job_id


@pytest.mark.parametrize("scope", ["tenant", "shared"])
def test_another_tenants_requests_are_never_near(installation: Installation, scope: str) -> None:
    tenants = Tenants(installation, CACHE_SCOPE=scope)
    body, _ = tenants.answered(tenants.a)
    assert explained(tenants, tenants.a, nearly(body))["near"] is not None
    assert explained(tenants, tenants.b, nearly(body))["near"] is None
    assert explained(tenants, tenants.admin, nearly(body))["near"] is None


def test_a_key_that_may_not_read_the_log_sees_no_near_request(tenants: Tenants) -> None:
    body, _ = tenants.answered(tenants.a)
    asks_only = bearer(tenants.key("predict", tenant="acme"))
    assert explained(tenants, asks_only, nearly(body))["near"] is None


def test_a_key_that_may_not_ask_gets_no_explanation(tenants: Tenants) -> None:
    response = tenants.api.http.post(EXPLAIN, json=a_body(), headers=bearer(tenants.key("read")))
    assert (response.status_code, response.json["code"]) == (403, "insufficient_scope")


def test_how_another_tenant_has_sent_the_same_picture_is_not_told(sharing: Tenants) -> None:
    picture = {"task_type": "image_classification", "input": data_url(content := png())}
    uploaded = sharing.ask(sharing.b, picture)
    sharing.api.run(uploaded, **sharing.b)
    with sharing.api.services.database.begin() as connection:
        # As if the job had got it by its address.
        connection.execute(
            text("UPDATE jobs SET request = jsonb_set(request, '{input}', '\"https://bolt.example/1\"')")
        )
    assert sharing.ask(sharing.a, {**picture, "input": data_url(content)}).status_code == 200
    found = explained(sharing, sharing.a, {**picture, "options": {"top_k": 2}})
    assert [each["part"] for each in found["near"]["differences"]] == ["/options/top_k"]


def test_an_explanation_counts_as_a_request_of_its_key(tenants: Tenants) -> None:
    client = tenants.limited(requests_per_minute=1)
    statuses = [tenants.api.http.post(EXPLAIN, json=a_body(), headers=client).status_code for _ in range(2)]
    assert statuses == [200, 429]

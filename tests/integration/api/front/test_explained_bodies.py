"""The front lets bodies of any size that may be asked be explained, and records none of them."""

import json
from dataclasses import replace

import pytest

from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.asking import rows
from tests.integration.front_client import fronts, json_call

pytestmark = pytest.mark.usefixtures("patient_tiers")

LARGE = "a" * 99_000


@pytest.mark.parametrize(("text", "status"), [(LARGE, 200), ("", 422)])
def test_a_body_is_explained_or_refused_and_is_on_no_record(installation: Installation, text: str, status: int) -> None:
    services = installation.services
    call = replace(json_call(json.dumps(a_body(input=text)).encode()), path="/api/v1/explain")
    with fronts(services) as (front, _):
        assert front.call(call).status == status
    assert services.request_log.flush()
    assert rows(services.database, "SELECT 1 FROM requests") == []

"""`LOG_PAYLOADS=digest`: no text outlives what it is needed for."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from shared.config import Settings
from shared.jobs.errors import ProviderTimeout, ProviderUnauthorized
from tests.installation import Installation
from tests.integration.api_client import Api, a_body, upload
from tests.integration.asking import png, row, write
from tests.integration.fake_provider import POSITIVE
from tests.integration.raw_server import answer, raw_server
from tests.servers import Servers
from workers.maintenance.pruning import POLLED_SECONDS


@pytest.fixture
def discreet(installation: Installation) -> Api:
    return installation.open_api(installation.configure(LOG_PAYLOADS="digest"))


def kept(api: Api) -> dict[str, Any]:
    """Return the `request` of the only job."""
    found: dict[str, Any] = row(api.services.database, "SELECT request FROM jobs").request
    return found


def digest(text: str) -> dict[str, object]:
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "chars": len(text)}


def test_a_text_stays_while_its_job_needs_it(discreet: Api) -> None:
    body = a_body()
    discreet.post(body)
    assert kept(discreet)["input"] == body["input"]


def test_a_text_leaves_with_the_end_of_its_job(discreet: Api) -> None:
    body = discreet.answered()
    assert kept(discreet)["input"] == digest(body["input"])


def test_a_text_stays_until_the_last_attempt_has_ended(discreet: Api) -> None:
    discreet.provider.steps.append(ProviderTimeout())
    body = a_body()
    assert discreet.run(discreet.post(body))["status"] == "queued"
    assert kept(discreet)["input"] == body["input"]


def test_a_text_leaves_a_failed_job(discreet: Api) -> None:
    discreet.provider.steps.append(ProviderUnauthorized())
    body = a_body()
    discreet.run(discreet.post(body))
    assert kept(discreet)["input"] == digest(body["input"])


def test_a_text_leaves_a_cancelled_job(discreet: Api) -> None:
    body = a_body()
    discreet.http.post(discreet.post(body).json["urls"]["cancel"])
    assert kept(discreet)["input"] == digest(body["input"])


def test_a_text_leaves_a_job_that_is_past_its_deadline(discreet: Api) -> None:
    body = a_body()
    discreet.post(body)
    write(discreet.services.database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")
    discreet.worker.maintenance.sweep_jobs()
    assert kept(discreet)["input"] == digest(body["input"])


def test_texts_among_the_options_leave_and_numbers_stay(discreet: Api) -> None:
    history = [{"role": "user", "content": "my secret"}, {"role": "assistant", "content": "is safe"}]
    options = {"system": "be brief", "history": history, "temperature": 0.5, "max_tokens": 99}
    discreet.provider.default = POSITIVE
    discreet.run(discreet.post(a_body(task_type="chat", options=options)))
    found = kept(discreet)["options"]
    assert (found["temperature"], found["max_tokens"], found["system"]) == (0.5, 99, digest("be brief"))
    assert found["history"].keys() == {"sha256", "chars"}


def test_a_picture_is_the_digest_that_it_always_was(discreet: Api) -> None:
    content = png()
    discreet.run(upload(discreet, content))
    assert kept(discreet)["input"]["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_address_of_a_picture_leaves_too(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    with raw_server(answer(png())) as site:
        api = open_api(configure(LOG_PAYLOADS="digest", IMAGE_URL_ALLOW=f"127.0.0.1:{site.port}"))
        url = f"{site.url}/secret.png"
        api.run(api.post({"task_type": "image_captioning", "input": url}))
        api.post({"task_type": "image_captioning", "input": url})
    api.records()
    everything = "SELECT (SELECT jsonb_agg(to_jsonb(r)) FROM request_log r)::text AS log, jobs::text AS job FROM jobs"
    assert "secret" not in str(row(api.services.database, everything))


def test_no_text_is_anywhere_in_the_database_once_its_job_has_ended(discreet: Api) -> None:
    body = discreet.answered(input="my very secret words")
    discreet.post(body)
    discreet.records()
    everything = "SELECT (SELECT jsonb_agg(to_jsonb(r)) FROM request_log r)::text AS log, jobs::text AS job FROM jobs"
    assert "secret" not in str(row(discreet.services.database, everything))


def test_a_result_stays_while_a_tier_may_serve_it_and_clients_poll(discreet: Api) -> None:
    discreet.answered()
    _age_jobs(discreet, discreet.services.cache.kept_seconds - 60)
    discreet.worker.maintenance.prune()
    assert row(discreet.services.database, "SELECT result FROM jobs").result == POSITIVE.result


def test_a_result_leaves_when_no_tier_can_serve_it_any_more(discreet: Api) -> None:
    discreet.answered()
    _age_jobs(discreet, max(discreet.services.cache.kept_seconds, POLLED_SECONDS) + 60)
    discreet.worker.maintenance.prune()
    assert row(discreet.services.database, "SELECT result FROM jobs").result is None


def test_a_job_whose_result_has_left_is_still_completed(discreet: Api) -> None:
    response = discreet.post(a_body())
    discreet.run(response)
    _age_jobs(discreet, discreet.services.cache.kept_seconds + 60)
    discreet.worker.maintenance.prune()
    job = discreet.get(response.json["urls"]["self"]).json
    assert (job["status"], job["result"]) == ("completed", None)


def test_what_is_asked_does_not_reach_the_log_of_the_local_postgresql(api: Api, servers: Servers) -> None:
    with pytest.raises(DBAPIError):
        row(api.services.database, "SELECT 1 / 0 AS secret_words_79")
    log = servers.postgres.log.read_text()
    assert "division by zero" in log
    assert "secret_words_79" not in log


def test_by_default_texts_and_results_stay(api: Api) -> None:
    body = api.answered()
    _age_jobs(api, api.services.cache.kept_seconds + 60)
    api.worker.maintenance.prune()
    found = row(api.services.database, "SELECT request, result FROM jobs")
    assert (found.request["input"], found.result) == (body["input"], POSITIVE.result)


def _age_jobs(api: Api, seconds: int) -> None:
    write(
        api.services.database,
        "UPDATE jobs SET completed_at = completed_at - make_interval(secs => :seconds)",
        seconds=seconds,
    )

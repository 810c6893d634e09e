"""What may wait for workers is bounded; what needs no new job is served all the same."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from shared.config import Settings
from tests.installation import Installation
from tests.integration.api_client import Api, a_body, data_url, upload
from tests.integration.asking import png, row, write
from tests.integration.eventually import eventually
from tests.integration.key_world import KeyWorld, bearer
from tests.integration.old_answers import an_old_answer, jobs_in_flight

JOBS = 3


@pytest.fixture
def small(installation: Installation) -> Api:
    return installation.open_api(installation.configure(MAX_QUEUED_JOBS=str(JOBS)))


def fill(api: Api) -> list[TestResponse]:
    """Fill the queue; return the responses."""
    accepted = [api.post(a_body()) for _ in range(JOBS)]
    assert [response.status_code for response in accepted] == [202] * JOBS
    return accepted


def is_full(response: TestResponse) -> bool:
    return (response.status_code, response.json["code"]) == (503, "queue_full")


def test_one_job_more_than_may_wait_is_refused(small: Api) -> None:
    fill(small)
    response = small.post(a_body())
    assert is_full(response)
    assert response.headers["Retry-After"].isdigit()
    assert response.json["detail"].startswith(f"{JOBS} jobs wait already")
    assert response.json["retryable"]
    assert "fwd=uri-miss" in response.headers["Cache-Status"]


def test_a_refused_job_leaves_no_row(small: Api) -> None:
    fill(small)
    small.post(a_body())
    assert row(small.services.database, "SELECT count(*) AS jobs FROM jobs").jobs == JOBS


def test_a_refused_job_is_on_record_with_its_code(small: Api) -> None:
    fill(small)
    small.post(a_body())
    assert small.records()[-1] == ("error", 503)


def test_what_waits_and_what_was_refused_is_in_the_metrics(small: Api) -> None:
    fill(small)
    small.post(a_body())
    metrics = small.get("/metrics").text
    assert f'askonce_queue_used{{of="jobs"}} {JOBS}.0' in metrics
    assert 'askonce_queue_refused_total{of="jobs"} 1.0' in metrics


def test_who_asks_what_is_asked_already_joins_while_the_queue_is_full(small: Api) -> None:
    body = a_body()
    first = small.post(body)
    for _ in range(JOBS - 1):
        small.post(a_body())
    assert is_full(small.post(a_body()))
    assert small.post(body).json["job_id"] == first.json["job_id"]


def test_an_answer_in_memory_is_served_while_the_queue_is_full(small: Api) -> None:
    body = small.answered()
    for _ in range(JOBS):
        small.post(a_body())
    assert is_full(small.post(a_body()))
    assert small.post(body).status_code == 200


def test_a_no_store_request_does_not_join_while_the_queue_is_full(small: Api) -> None:
    body = a_body()
    for _ in range(JOBS - 1):
        small.post(a_body())
    small.post(body)
    assert is_full(small.post(body, cache_control="no-store"))


def test_a_job_that_a_worker_has_taken_makes_room(small: Api) -> None:
    small.run(fill(small)[0])
    eventually(lambda: small.post(a_body()).status_code == 202)


def test_a_cancelled_job_makes_room(small: Api) -> None:
    small.http.post(fill(small)[0].json["urls"]["cancel"])
    eventually(lambda: small.post(a_body()).status_code == 202)


def test_the_queue_does_not_fill_further_while_answers_come(small: Api) -> None:
    small.run(fill(small)[0])
    eventually(lambda: small.post(a_body()).status_code == 202)
    assert is_full(small.post(a_body()))


def test_requests_at_once_fill_the_queue_to_its_limit_and_no_further(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MAX_QUEUED_JOBS="7"))
    with ThreadPoolExecutor(20) as pool:
        statuses = Counter(pool.map(lambda _: api.post(a_body()).status_code, range(40)))
    assert statuses == {202: 7, 503: 33}


def test_the_same_request_at_once_takes_one_place(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api, body = open_api(configure(MAX_QUEUED_JOBS="2")), a_body()
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda _: api.post(body).status_code, range(20))) == {202}
    eventually(lambda: api.post(a_body()).status_code == 202)


def test_jobs_that_another_process_made_count(
    small: Api, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    other = open_api(configure(MAX_QUEUED_JOBS=str(JOBS)))
    for _ in range(JOBS):
        assert other.post(a_body()).status_code == 202
    assert is_full(small.post(a_body()))


def test_pictures_wait_up_to_their_bytes(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    # The last one fits into the place of the first.
    third, first, second = sorted((png(), png(), png()), key=len)
    api = open_api(configure(MAX_PICTURE_BYTES_WAITING=str(len(first) + len(second))))
    accepted = upload(api, first)
    assert accepted.status_code == 202
    assert upload(api, second).status_code == 202
    refused = upload(api, third)
    assert is_full(refused)
    assert "MAX_PICTURE_BYTES_WAITING" in refused.json["detail"]
    assert upload(api, first).json["job_id"] == accepted.json["job_id"]
    assert api.post(a_body()).status_code == 202
    api.http.post(accepted.json["urls"]["cancel"])
    eventually(lambda: upload(api, third).status_code == 202)


def test_a_picture_in_a_data_url_counts_as_an_upload_does(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MAX_PICTURE_BYTES_WAITING="100"))
    assert upload(api, png()).status_code == 202
    assert is_full(api.post(a_body(task_type="image_captioning", input=data_url(png()))))


def test_a_picture_larger_than_may_wait_is_accepted_alone(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MAX_PICTURE_BYTES_WAITING="10"))
    assert upload(api, png()).status_code == 202
    assert is_full(upload(api, png()))


def test_a_stale_answer_is_served_and_not_refreshed_while_the_queue_is_full(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MAX_QUEUED_JOBS="1", STALE_WHILE_REVALIDATE_SECONDS="600"))
    body = an_old_answer(api)
    # On a busy machine the job that made the old answer may be counted for a moment longer.
    eventually(lambda: api.post(a_body()).status_code == 202)
    response = api.post(body)
    assert (response.status_code, response.json["cache"]["stale"]) == (200, True)
    assert jobs_in_flight(api) == 1


def queued(installation: Installation, tenant: str, jobs: int) -> None:
    """Let jobs of a tenant wait, as many as nobody would post in a test."""
    write(
        installation.database,
        """INSERT INTO jobs (id, client, tenant, key_id, namespace, task_type, queue, provider, model, cache_key,
                sharable, refresh, status, request, publish_at, not_before, deadline_at)
           SELECT gen_random_uuid(), 'bulk', :tenant, 'bulk', 'bulk', 'sentiment', 'text', 'simulated', 'm',
                number::text, false, false, 'queued', '{}', now() + interval '1 hour', now(), now() + interval '1 hour'
           FROM generate_series(1, :jobs) AS number""",
        tenant=tenant,
        jobs=jobs,
    )


def test_the_last_of_the_queue_is_kept_for_those_who_have_little_in_it(installation: Installation) -> None:
    world = KeyWorld(installation, MAX_QUEUED_JOBS="1000")
    greedy, modest = (bearer(world.key(tenant=tenant)) for tenant in ("greedy", "modest"))
    queued(installation, "greedy", 890)
    statuses = [world.api.post(a_body(), **greedy).status_code for _ in range(12)]
    assert statuses == [202] * 10 + [503] * 2
    assert world.api.post(a_body(), **modest).status_code == 202


def test_who_has_little_is_refused_when_the_queue_is_full(installation: Installation) -> None:
    world = KeyWorld(installation, MAX_QUEUED_JOBS="1000")
    queued(installation, "greedy", 1000)
    assert is_full(world.api.post(a_body(), **bearer(world.key(tenant="modest"))))

"""Jobs of several clients are claimed in turn, whichever jobs the messages name."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from shared.db.engine import Database
from shared.jobs.job import Job, JobStatus
from tests.installation import LEASE_SECONDS, PRICES, Installation
from tests.integration.asking import accepted, an_answer, ask, row, rows, write
from tests.integration.running import jobs_of
from tests.integration.waiting_jobs import in_progress, queue_jobs
from workers.jobs import waiting_clients
from workers.jobs.attempt import COMPLETED
from workers.jobs.claiming import Claiming
from workers.jobs.claims import Claims
from workers.jobs.outage_retry import OutageRetry
from workers.jobs.turns import Turns
from workers.runner import run_job

BACKLOG = 3000


@pytest.fixture(autouse=True)
def always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every claim see who waits now, not who did a moment ago."""
    monkeypatch.setattr(waiting_clients, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(waiting_clients, "READING_SHARE", float("inf"))


def new_claims(database: Database) -> Claims:
    return Claims(database, LEASE_SECONDS, PRICES, OutageRetry(0))


@pytest.fixture
def claims(installation: Installation) -> Claims:
    """Those of a worker that knows that there are keys."""
    claims = new_claims(installation.database)
    (first,) = queue_jobs(installation.database, 1, "first")
    job = claims.claim(first)
    assert job is not None
    claims.complete(job, an_answer(), None)
    return claims


def claim(claims: Claims, job_id: UUID) -> Job:
    job = claims.claim(job_id)
    assert job is not None
    return job


def serve(claims: Claims, database: Database, messages: list[UUID]) -> list[str]:
    """Claim for each of these messages and complete the job; return whose each was."""
    served = []
    for message in messages:
        job = claim(claims, message)
        served.append(row(database, "SELECT tenant, key_id FROM jobs WHERE id = :id", id=job.id))
        claims.complete(job, an_answer(), None)
    return ["/".join(each) for each in served]


def test_the_next_job_of_one_client_is_claimed_next_whatever_another_has_queued(
    claims: Claims, database: Database
) -> None:
    of_a = queue_jobs(database, BACKLOG, "a")
    claim(claims, of_a[0])
    (of_b,) = queue_jobs(database, 1, "b")
    assert claim(claims, of_a[1]).id == of_b


def test_a_client_with_a_backlog_keeps_half_of_the_slots_while_another_asks_all_the_time(
    claims: Claims, database: Database
) -> None:
    of_a = queue_jobs(database, 50, "a")
    queue_jobs(database, 50, "b")
    for message in of_a[:8]:
        claim(claims, message)
    assert in_progress(database) == {"a": 4, "b": 4}


def test_jobs_that_other_workers_run_count_too(claims: Claims, database: Database) -> None:
    of_a, other = queue_jobs(database, 10, "a"), new_claims(database)
    for message in of_a[:3]:
        claim(other, message)
    queue_jobs(database, 10, "b")
    for message in of_a[3:6]:
        claim(claims, message)
    assert in_progress(database) == {"a": 3, "b": 3}


def test_jobs_that_are_claimed_together_are_spread_over_the_clients(claims: Claims, database: Database) -> None:
    of_a = queue_jobs(database, 20, "a")
    queue_jobs(database, 20, "b")
    queue_jobs(database, 1, "c")
    with database.begin() as connection:
        claimed = claims._claimer.claim(connection, [Claiming(job_id, uuid.uuid4()) for job_id in of_a[:7]])  # noqa: SLF001  as a group of threads does
    assert None not in claimed
    assert in_progress(database) == {"a": 3, "b": 3, "c": 1}


def test_where_one_job_runs_at_a_time_all_clients_get_their_turns(claims: Claims, database: Database) -> None:
    messages = [job_id for tenant in "abc" for job_id in queue_jobs(database, 4, tenant)]
    assert serve(claims, database, messages[:6]) == ["a/k", "b/k", "c/k"] * 2


def test_where_one_job_runs_at_a_time_all_keys_of_a_tenant_get_their_turns(claims: Claims, database: Database) -> None:
    messages = [job_id for key in ("k1", "k2") for job_id in queue_jobs(database, 6, "a", key)]
    queue_jobs(database, 6, "b")
    assert serve(claims, database, messages[:6]) == ["a/k1", "b/k", "a/k2", "b/k", "a/k1", "b/k"]


def test_the_oldest_job_of_a_client_comes_first(claims: Claims, database: Database) -> None:
    of_a, of_b = queue_jobs(database, 3, "a"), queue_jobs(database, 3, "b")
    claimed = [claim(claims, message).id for message in reversed(of_a)]
    assert claimed == [of_a[0], of_b[0], of_a[1]]


def test_keys_of_one_tenant_share_its_part(claims: Claims, database: Database) -> None:
    messages = [id_ for key in ("k1", "k2", "k3") for id_ in queue_jobs(database, 10, "a", key)]
    queue_jobs(database, 10, "b")
    for message in messages[:6]:
        claim(claims, message)
    keys = rows(database, "SELECT key_id, count(*) AS n FROM jobs WHERE status = 'in_progress' GROUP BY 1 ORDER BY 1")
    assert [tuple(each) for each in keys] == [("k", 3), ("k1", 1), ("k2", 1), ("k3", 1)]


def test_messages_of_two_clients_run_all_their_jobs_once_in_any_order(claims: Claims, database: Database) -> None:
    of_a, of_b = queue_jobs(database, 9, "a"), queue_jobs(database, 3, "b")
    served = serve(claims, database, [*of_a, *of_b])
    assert (served.count("a/k"), served.count("b/k")) == (9, 3)
    assert served.index("b/k") < 2


def test_a_job_whose_message_ran_another_one_is_run_by_the_message_of_that(claims: Claims, database: Database) -> None:
    (of_a,), (of_b,) = queue_jobs(database, 1, "a"), queue_jobs(database, 1, "b")
    assert [claim(claims, of_b).id, claim(claims, of_b).id] == [of_a, of_b]


def test_the_last_job_is_run_although_its_client_waits_alone_by_then(claims: Claims, database: Database) -> None:
    of_a, (of_b,) = queue_jobs(database, 2, "a"), queue_jobs(database, 1, "b")
    assert {claim(claims, of_a[0]).id, claim(claims, of_a[1]).id} == {of_a[0], of_b}
    assert claim(claims, of_b).id == of_a[1]


def test_a_worker_that_has_met_no_key_yet_owes_a_run_too(database: Database) -> None:
    (of_a,), (of_b,) = queue_jobs(database, 1, "a"), queue_jobs(database, 1, "b")
    write(database, "UPDATE jobs SET status = 'completed', completed_at = now() WHERE id = :id", id=of_b)
    assert claim(new_claims(database), of_b).id == of_a


def test_messages_that_came_twice_run_no_job_twice(claims: Claims, database: Database) -> None:
    messages = queue_jobs(database, 3, "a") + queue_jobs(database, 3, "b")
    claimed = [claims.claim(message) for message in messages * 2]
    assert len({job.id for job in claimed if job is not None}) == 6
    assert claimed[6:] == [None] * 6


def test_a_client_alone_has_its_jobs_claimed_by_name(claims: Claims, database: Database) -> None:
    of_a = queue_jobs(database, 3, "a")
    assert [claim(claims, message).id for message in reversed(of_a)] == of_a[::-1]


def test_jobs_without_keys_are_claimed_by_name(database: Database) -> None:
    claims = new_claims(database)
    messages = queue_jobs(database, 3, "a", None) + queue_jobs(database, 3, "b", None)
    assert [claim(claims, message).id for message in reversed(messages)] == messages[::-1]


def test_a_job_without_a_key_keeps_its_message_beside_clients_that_wait(claims: Claims, database: Database) -> None:
    queue_jobs(database, 3, "a")
    queue_jobs(database, 3, "b")
    (without,) = queue_jobs(database, 1, "default", None)
    assert claim(claims, without).id == without
    assert claims.claim(without) is None


def test_jobs_that_are_not_due_get_no_turn(claims: Claims, database: Database) -> None:
    of_a, of_b = queue_jobs(database, 2, "a"), queue_jobs(database, 2, "b")
    write(database, "UPDATE jobs SET not_before = now() + interval '1 minute' WHERE tenant = 'b'")
    assert claim(claims, of_b[0]).id == of_a[0]
    assert claims.claim(of_b[1]) is not None
    assert claims.claim(of_b[1]) is None


def test_a_client_whose_jobs_are_not_due_makes_nobody_take_turns(claims: Claims, database: Database) -> None:
    of_a = queue_jobs(database, 2, "a")
    queue_jobs(database, 1, "b")
    write(database, "UPDATE jobs SET not_before = now() + interval '1 minute' WHERE tenant = 'b'")
    assert claim(claims, of_a[1]).id == of_a[1]


def test_jobs_of_another_queue_are_left_alone(claims: Claims, database: Database) -> None:
    of_a = queue_jobs(database, 2, "a")
    queue_jobs(database, 2, "b")
    write(database, "UPDATE jobs SET queue = 'image' WHERE tenant = 'b'")
    assert [claim(claims, message).id for message in of_a] == of_a
    assert claims.claim(of_a[0]) is None


def test_a_job_that_nobody_wants_any_more_leaves_its_message_to_others(claims: Claims, database: Database) -> None:
    (of_a,), (of_b,) = queue_jobs(database, 1, "a"), queue_jobs(database, 1, "b")
    write(database, "UPDATE jobs SET status = 'cancelled' WHERE id = :id", id=of_a)
    assert claim(claims, of_a).id == of_b


def test_workers_that_claim_at_once_get_different_jobs(claims: Claims, database: Database) -> None:
    messages = queue_jobs(database, 60, "a") + queue_jobs(database, 20, "b")
    workers = [claims, new_claims(database), new_claims(database), new_claims(database)]
    together = threading.Barrier(8)

    def work(n: int) -> list[UUID]:
        together.wait()
        return [claim(workers[n % 4], message).id for message in messages[n::8]]

    with ThreadPoolExecutor(8) as pool:
        claimed = [job_id for ids in pool.map(work, range(8)) for job_id in ids]
    assert sorted(claimed) == sorted(messages)


def test_a_worker_waits_for_no_other_ones_claims(claims: Claims, database: Database) -> None:
    of_a, of_b = queue_jobs(database, 5, "a"), queue_jobs(database, 5, "b")
    other = Turns(timedelta(seconds=LEASE_SECONDS))
    other.meet("text")
    with database.begin() as connection:
        held = other.take(connection, [(of_a[0], uuid.uuid4())])
        assert [claim(claims, message).id for message in of_a[1:4]] == [of_b[0], of_a[1], of_b[1]]
    assert [each.id for each in held] == [of_a[0]]


def test_where_more_clients_wait_than_are_looked_at_each_is_looked_at_before_long(
    claims: Claims, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_clients, "MOST_CLIENTS", 3)
    for n in range(7):
        queue_jobs(database, 2, f"t{n}")
    with database.begin() as connection:
        readings = [claims._claimer._turns._waiting.by_queue(connection)["text"] for _ in range(4)]  # noqa: SLF001  see above
    seen = ["".join(client.tenant[1] for client in clients) for clients in readings]
    assert seen == ["012", "345", "601", "234"]


def test_who_waits_is_read_once_in_a_while(claims: Claims, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_clients, "KEPT_SECONDS", 3600.0)
    of_a = queue_jobs(database, 3, "a")
    claim(claims, of_a[0])
    queue_jobs(database, 1, "b")
    assert claim(claims, of_a[1]).id == of_a[1]


def test_a_message_with_no_job_left_serves_a_client_who_came_since_that_reading(
    claims: Claims, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_clients, "KEPT_SECONDS", 3600.0)
    (of_a,) = queue_jobs(database, 1, "a")
    claim(claims, of_a)
    (of_b,) = queue_jobs(database, 1, "b")
    assert claim(claims, of_a).id == of_b


def test_a_message_runs_the_job_whose_turn_it_is_to_its_end(installation: Installation, database: Database) -> None:
    worker = installation.worker
    (named,) = queue_jobs(database, 1, "a")
    other = accepted(jobs_of(worker), ask(installation.settings))
    write(database, "UPDATE jobs SET status = 'cancelled' WHERE id = :id", id=named)
    write(database, "UPDATE jobs SET tenant = 'b', key_id = 'k' WHERE id = :id", id=other.id)
    assert run_job(named, worker) == COMPLETED
    assert jobs_of(worker).get(other.id).status is JobStatus.COMPLETED

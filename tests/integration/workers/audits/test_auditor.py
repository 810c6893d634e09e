"""Audits of hits: asked again, compared, counted, and paid within a day's dollars."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from subprocess import Popen
from typing import Any

import pytest
import requests

from shared.domain.conversation import Conversation
from shared.domain.estimates import most_usage
from shared.domain.request import TextInput
from shared.jobs.errors import BadAnswer, ProviderRateLimited, ProviderUnauthorized
from shared.jobs.errors import ProviderUnavailable as Unavailable
from shared.provider_limits.gate import FAILURES_TO_OPEN, BreakerState
from tests.checkout import CHECKOUT
from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.asking import an_answer, row, rows, write
from tests.integration.audited import COST, JUDGE, NEGATIVE, Audited, judging, summary, unusable
from tests.integration.eventually import eventually
from tests.integration.fake_provider import POSITIVE
from tests.integration.fast_path_world import a_completion, completion_address
from tests.integration.simulator_server import simulator_server
from tests.task_types import NAMED
from workers.audits.table import AuditTable, give_up_expired
from workers.metrics.installation import InstallationFigures
from workers.providers.base import Completion, ModelCall

MODEL = "openai/gpt-oss-20b"
SUMMARY = {"task_type": "summarization"}


@pytest.fixture
def audited(installation: Installation) -> Audited:
    return Audited(installation)


def hit_with_summary(audited: Audited, text: str = "Cats sleep for long.") -> None:
    audited.provider.default = summary(text)
    audited.hit(**SUMMARY)


def most(audited: Audited) -> Decimal:
    """Return what the audit that waits may cost at most."""
    given = row(audited.database, "SELECT request FROM audits").request
    usage = most_usage(NAMED["sentiment"], {}, TextInput(given["input"]))
    cost = audited.api.services.prices.cost("simulated", MODEL, usage)
    assert cost is not None
    return cost


def test_without_an_audit_there_is_nothing_to_run(audited: Audited) -> None:
    assert audited.run() is False


def test_the_model_that_made_the_answer_is_asked_the_same_again(audited: Audited) -> None:
    asked: list[ModelCall] = []
    body = audited.api.answered()
    asked.extend(audited.provider.calls)
    audited.provider.calls.clear()
    audited.api.post(body)
    audited.write()
    assert audited.run() is True
    assert audited.provider.calls == asked


def test_an_equal_answer_is_identical(audited: Audited) -> None:
    audited.hit()
    audited.run()
    assert audited.verdicts() == {"identical": 1}
    assert (audited.drift()["equivalent_share"], audited.drift()["compared"]) == (1.0, 1)


def test_an_answer_that_differs_in_what_must_be_equal_is_different(audited: Audited) -> None:
    audited.hit()
    audited.provider.default = NEGATIVE
    audited.run()
    assert audited.verdicts() == {"different": 1}
    assert audited.drift()["equivalent_share"] == 0.0


def test_an_answer_that_differs_in_case_is_the_same(audited: Audited) -> None:
    hit_with_summary(audited)
    audited.provider.default = summary("CATS  sleep for long")
    audited.run()
    assert audited.verdicts() == {"same": 1}


@pytest.mark.parametrize(
    ("said", "verdict"), [("equivalent", "equivalent"), ("different", "different"), ("unsure", "unknown")]
)
def test_of_other_words_the_judge_says_whether_they_tell_the_same(audited: Audited, said: str, verdict: str) -> None:
    hit_with_summary(audited)
    audited.provider.steps.extend([summary("Long sleep is what cats do."), judging(said)])
    audited.run()
    assert audited.verdicts() == {verdict: 1}
    assert [call.model for call in audited.provider.calls] == [MODEL, JUDGE]


def test_the_judge_reads_the_question_and_both_answers(audited: Audited) -> None:
    hit_with_summary(audited)
    audited.provider.steps.extend([summary("Other words."), judging("equivalent")])
    audited.run()
    asked = audited.provider.calls[1].options
    assert (asked["first"], asked["second"]) == ("Cats sleep for long.", "Other words.")
    assert asked["question"].startswith("Fine weather")


@pytest.mark.parametrize("error", [BadAnswer, ProviderUnauthorized, ProviderRateLimited])
def test_a_judge_that_fails_leaves_the_verdict_unknown(audited: Audited, error: type[Exception]) -> None:
    hit_with_summary(audited)
    audited.provider.steps.extend([summary("Other words."), error()])
    audited.run()
    assert audited.verdicts() == {"unknown": 1}
    assert audited.drift()["equivalent_share"] is None


def test_without_a_judge_other_words_are_unknown(installation: Installation) -> None:
    audited = Audited(installation, AUDIT_JUDGE_MODEL="")
    hit_with_summary(audited)
    audited.provider.default = summary("Other words.")
    audited.run()
    assert audited.verdicts() == {"unknown": 1}
    assert len(audited.provider.calls) == 1


def test_drift_is_counted_by_task_type_and_age(audited: Audited) -> None:
    audited.hit()
    audited.let_time_pass(40 * 60)
    audited.run()
    hit_with_summary(audited)
    audited.run()
    by_age = [(each["task_type"], each["from_seconds"], each["to_seconds"]) for each in audited.drift()["by_age"]]
    assert by_age == [("sentiment", 1800, 3600), ("summarization", 0, 60)]


def test_drift_can_be_asked_for_one_task_type_and_by_the_hour(audited: Audited) -> None:
    audited.hit()
    audited.run()
    assert audited.drift("?task_type=chat")["compared"] == 0
    assert audited.drift("?task_type=sentiment&bucket=hour&days=2")["compared"] == 1


def test_metrics_show_how_audits_ended_and_count_their_calls(audited: Audited) -> None:
    audited.hit()
    audited.run()
    worker = audited.api.worker
    worker.metrics.show(InstallationFigures(worker.operation, lambda: 0))
    metrics = worker.metrics.render().decode()
    assert 'askonce_audits_total{age="0",task_type="sentiment",verdict="identical"} 1.0' in metrics
    assert f'askonce_provider_calls_total{{model="{MODEL}",outcome="answered",provider="simulated"}} 2.0' in metrics


def test_what_an_audit_held_is_gone_with_its_verdict(audited: Audited) -> None:
    audited.hit()
    audited.run()
    assert audited.waiting() == 0


def everything(audited: Audited) -> list[list[Any]]:
    tables = ("jobs", "requests", "provider_calls", "hourly_statistics", "budgets")
    assert audited.api.services.request_log.flush()
    return [rows(audited.database, f"SELECT * FROM {table} ORDER BY 1") for table in tables]  # noqa: S608


def test_an_audit_is_no_job_no_call_on_record_and_in_no_tier(audited: Audited) -> None:
    body = audited.hit()
    before = everything(audited)
    audited.provider.default = NEGATIVE
    audited.run()
    audited.api.worker.maintenance.fold_statistics()
    after = everything(audited)
    assert [len(each) for each in after[:3]] == [len(each) for each in before[:3]]
    assert audited.api.get("/api/v1/statistics").json["totals"]["spent"]["provider_calls"] == 1
    assert audited.api.post(body).json["result"] == POSITIVE.result


def test_a_clients_job_comes_first(audited: Audited) -> None:
    audited.hit()
    accepted = audited.api.post(a_body())
    assert audited.run() is False
    audited.api.run(accepted)
    assert audited.run() is True


def test_an_open_breaker_makes_audits_wait_and_is_never_probed_by_one(audited: Audited) -> None:
    audited.hit()
    audited.provider.steps.extend([Unavailable()] * FAILURES_TO_OPEN)
    for _ in range(FAILURES_TO_OPEN):
        audited.api.run(audited.api.post(a_body()))
    write(audited.database, "UPDATE jobs SET status = 'cancelled' WHERE status = 'queued'")
    audited.provider.calls.clear()
    assert audited.api.worker.services.gate.state("simulated", MODEL) is not BreakerState.CLOSED
    assert audited.run() is True
    assert (audited.provider.calls, audited.waiting(), audited.spent()) == ([], 1, 0)


def test_a_provider_that_asks_to_wait_costs_nothing_and_the_audit_waits(audited: Audited) -> None:
    audited.hit()
    audited.provider.steps.append(ProviderRateLimited(retry_after=1))
    assert audited.run() is True
    found = row(audited.database, "SELECT attempts, due_at > now() + interval '20 seconds' AS waits FROM audits")
    assert (found.attempts, found.waits, audited.spent()) == (0, True, 0)


def test_a_failed_call_ends_the_audit_without_a_comparison(audited: Audited) -> None:
    audited.hit()
    audited.provider.steps.append(BadAnswer())
    audited.run()
    assert (audited.verdicts(), audited.waiting()) == ({"failed": 1}, 0)


def test_calls_of_audits_count_for_the_breaker(audited: Audited) -> None:
    for _ in range(FAILURES_TO_OPEN):
        audited.hit()
    audited.provider.default = Unavailable()
    for _ in range(FAILURES_TO_OPEN):
        audited.run()
    assert audited.api.worker.services.gate.state("simulated", MODEL) is not BreakerState.CLOSED


def test_the_day_has_paid_what_the_calls_have_cost(audited: Audited) -> None:
    hit_with_summary(audited)
    audited.provider.steps.extend([summary("Other words."), judging("equivalent")])
    audited.run()
    # The judge's model costs twice as much.
    assert audited.spent() == 3 * COST
    assert audited.drift()["cost_usd"] == pytest.approx(float(3 * COST))


def test_a_call_whose_cost_is_not_known_counts_as_much_as_it_may_have_cost(audited: Audited) -> None:
    audited.hit()
    reserved = most(audited)
    audited.provider.default = unusable(POSITIVE)
    audited.run()
    assert audited.spent() == reserved


def test_over_the_days_dollars_nobody_is_asked(installation: Installation) -> None:
    audited = Audited(installation, AUDIT_DOLLARS_PER_DAY="0.000001")
    audited.hit()
    audited.run()
    assert (audited.provider.calls, audited.verdicts(), audited.spent()) == ([], {"over_cap": 1}, 0)


def test_the_judge_is_not_asked_over_the_days_dollars(audited: Audited) -> None:
    hit_with_summary(audited)

    def spend_all(_: ModelCall) -> Completion:
        write(audited.database, "UPDATE audit_spending SET dollars = 1")
        return summary("Other words.")

    audited.provider.steps.append(spend_all)
    audited.run()
    assert audited.verdicts() == {"unknown": 1}
    assert len(audited.provider.calls) == 1


def test_a_model_without_a_price_is_not_asked(installation: Installation) -> None:
    unpriced = "qwen/qwen3.8-27b"
    audited = Audited(installation, SENTIMENT_MODEL=unpriced)
    audited.hit()
    audited.run()
    assert (audited.provider.calls, audited.verdicts()) == ([], {"unpriced": 1})


def test_two_workers_together_keep_the_days_dollars(installation: Installation) -> None:
    audited = Audited(installation)
    for _ in range(6):
        audited.hit()
    auditors = [audited.auditor, audited.another_auditor()]
    all_but_a_bit = "INSERT INTO audit_spending VALUES ((now() AT TIME ZONE 'UTC')::date, 0.999)"
    write(audited.database, all_but_a_bit)
    audited.provider.default = unusable(POSITIVE)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: auditors[number % 2].run_one(), range(6)))
    assert audited.spent() <= 1
    ended = audited.verdicts()
    assert ended["over_cap"] + ended["identical"] == 6
    assert len(audited.provider.calls) == ended["identical"] > 0


def test_no_two_workers_run_the_same_audit(audited: Audited) -> None:
    for _ in range(4):
        audited.hit()
    auditors = [audited.auditor, audited.another_auditor()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: auditors[number % 2].run_one(), range(6)))
    assert (len(audited.provider.calls), audited.verdicts()) == (4, {"identical": 4})


class WorkerDied(BaseException):
    """Stands for the end of a process: nothing after it runs."""


def die(_: ModelCall) -> Completion:
    raise WorkerDied


def run_and_die(audited: Audited) -> None:
    audited.provider.steps.append(die)
    with pytest.raises(WorkerDied):
        audited.run()


def test_an_audit_that_lost_its_worker_is_run_again_and_the_lost_call_stays_paid(audited: Audited) -> None:
    audited.hit()
    reserved = most(audited)
    run_and_die(audited)
    assert audited.run() is False
    audited.let_leases_expire()
    assert audited.run() is True
    assert (audited.verdicts(), audited.spent()) == ({"identical": 1}, reserved + COST)


def test_a_worker_that_is_killed_in_mid_audit_pays_at_most_once_more(installation: Installation) -> None:
    audited = Audited(installation)
    audited.hit()
    with simulator_server() as simulator:
        order_to_hang(simulator)
        environment = {**installation.environment, "AUDIT_HIT_RATIO": "1", "SIMULATOR_URL": simulator}
        with Popen(
            [sys.executable, "-m", "workers", "text"], cwd=CHECKOUT, env={**os.environ, **environment}
        ) as worker:
            try:
                eventually(lambda: calls_in_flight(simulator), seconds=90)
            finally:
                worker.kill()
    assert (audited.waiting(), audited.run()) == (1, False)
    audited.let_leases_expire()
    assert (audited.run(), len(audited.provider.calls)) == (True, 1)
    assert (audited.verdicts(), audited.run()) == ({"identical": 1}, False)


def order_to_hang(simulator: str) -> None:
    requests.post(f"{simulator}/admin/faults", json={"fault": "hang"}, timeout=30).raise_for_status()


def calls_in_flight(simulator: str) -> int:
    return int(requests.get(f"{simulator}/admin/calls", timeout=30).json()["in_flight"])


def test_an_audit_that_lost_two_workers_is_given_up_unpaid(audited: Audited) -> None:
    audited.hit()
    for _ in range(2):
        run_and_die(audited)
        audited.let_leases_expire()
    audited.provider.calls.clear()
    audited.run()
    assert (audited.provider.calls, audited.verdicts()) == ([], {"failed": 1})


def test_a_worker_that_has_lost_its_audit_counts_nothing(audited: Audited) -> None:
    audited.hit()

    def lose(_: ModelCall) -> Completion:
        audited.let_leases_expire()
        assert AuditTable(audited.database, "text", 60).take() is not None
        return NEGATIVE

    audited.provider.steps.append(lose)
    audited.run()
    assert (audited.verdicts(), audited.waiting()) == ({}, 1)


def test_an_answer_that_was_purged_meanwhile_is_not_asked_again(audited: Audited) -> None:
    audited.hit()
    write(audited.database, "INSERT INTO purges VALUES ('default', 'sentiment', now())")
    audited.api.worker.services.cache.purge_marks.refresh()
    audited.run()
    assert (audited.provider.calls, audited.verdicts()) == ([], {"purged": 1})


def test_an_audit_that_has_waited_for_an_hour_is_deleted_and_counted(audited: Audited) -> None:
    audited.hit()
    assert list(give_up_expired(audited.database)) == []
    # Ids contain the time.
    write(audited.database, "UPDATE audits SET id = '01890000-0000-7000-8000-000000000000'")
    assert audited.run() is False
    audited.api.worker.maintenance.prune()
    assert (audited.waiting(), audited.verdicts()) == (0, {"expired": 1})


def test_with_digests_only_no_text_outlives_its_audit(installation: Installation) -> None:
    audited = Audited(installation, LOG_PAYLOADS="digest")
    body = audited.hit()
    audited.run()
    assert audited.verdicts() == {"identical": 1}
    for table in ("audits", "jobs", "hourly_drift"):
        found = rows(audited.database, f"SELECT t::text AS row FROM {table} AS t")  # noqa: S608
        assert [each for each in found if body["input"] in each.row] == []


def test_a_chat_completion_is_asked_again_as_its_client_wrote_it(audited: Audited) -> None:
    completion = {"id": "first", "choices": [{"message": {"role": "assistant", "content": "Lisbon."}}]}
    services, body = audited.api.services, a_completion("The capital of Portugal?")
    services.cache.store(completion_address(services, "The capital of Portugal?"), an_answer(completion=completion))
    assert audited.api.http.post("/v1/chat/completions", json=body).status_code == 200
    audited.write()
    audited.provider.default = Completion({"completion": {**completion, "id": "second"}}, POSITIVE.usage)
    audited.run()
    assert audited.verdicts() == {"same": 1}
    assert [call.input for call in audited.provider.calls] == [Conversation({"messages": body["messages"]})]

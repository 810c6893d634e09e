"""Which writes are one statement, and so need no transaction around it."""

import uuid
from dataclasses import replace
from decimal import Decimal

from shared.domain.answer import Usage
from shared.domain.estimates import Estimate
from shared.jobs.job import Job
from shared.times import now
from tests.integration.asking import an_answer
from workers.jobs.claiming import Claiming
from workers.jobs.group_writes import Completing, Write, are_one_statement
from workers.jobs.provider_calls import Beginning, ProviderCall

CLAIMING = Claiming(uuid.uuid4(), uuid.uuid4())


def beginning(job: Job, estimate: Estimate | None = None) -> Beginning:
    return Beginning(uuid.uuid4(), job, job.model, estimate)


def completing(job: Job) -> Completing:
    call = ProviderCall(uuid.uuid4(), job.provider, job.model, now(), None, Usage(1, 2, 3))
    return Completing(job, an_answer(), call)


def test_writes_of_one_kind_are_one_statement(job: Job) -> None:
    groups: list[list[Write]] = [[CLAIMING], [CLAIMING] * 2, [beginning(job)] * 2, [completing(job)] * 2]
    assert [are_one_statement(group) for group in groups] == [True] * 4


def test_writes_of_different_kinds_are_not(job: Job) -> None:
    assert not are_one_statement([CLAIMING, beginning(job)])


def test_what_budgets_pay_is_in_one_transaction_with_them(job: Job) -> None:
    paid = beginning(job, Estimate(10, Decimal("0.1"))), completing(replace(job, budgeted=True))
    assert [are_one_statement([each]) for each in paid] == [False, False]
    assert not are_one_statement([beginning(job), paid[0]])


def test_the_end_of_a_job_without_a_call_may_settle_an_earlier_one_and_is_not(job: Job) -> None:
    assert not are_one_statement([replace(completing(job), call=None)])

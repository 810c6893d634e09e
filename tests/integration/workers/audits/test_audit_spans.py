"""The spans of an audit: in a trace of its own, with a link to that of the job whose answer it is about."""

from dataclasses import replace

import pytest

from shared.jobs.errors import BadAnswer, ProviderRateLimited
from shared.traces.spans import Span
from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.audited import JUDGE, Audited, judging, summary
from tests.taken_spans import Taken
from workers.audits.auditor import Auditor

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


@pytest.fixture
def audited(installation: Installation) -> Audited:
    return Audited(installation)


def spans_of_an_audit(audited: Audited) -> list[Span]:
    """Run the audit that waits; return its spans."""
    taken, worker = Taken(), audited.api.worker
    traced = replace(worker, services=replace(worker.services, tracer=taken))
    assert Auditor(traced, "text").run_one()
    return taken.spans


def test_the_calls_of_an_audit_are_in_its_span_and_that_is_linked_to_the_jobs_trace(audited: Audited) -> None:
    audited.provider.default = summary("Cats sleep for long.")
    body = {**a_body(), "task_type": "summarization"}
    audited.api.run(audited.api.post(body, traceparent=TRACEPARENT))
    audited.api.post(body)
    audited.write()
    audited.provider.steps.extend([summary("Long sleep is what cats do."), judging("equivalent")])
    *calls, audit = spans_of_an_audit(audited)
    assert [call.attributes["gen_ai.request.model"] for call in calls] == ["openai/gpt-oss-20b", JUDGE]
    assert [(call.kind, call.parent) for call in calls] == [("client", audit.context)] * 2
    assert (audit.parent, audit.attributes["askonce.audit.verdict"]) == (None, "equivalent")
    assert audit.linked is not None
    assert (audit.linked.trace_id, audit.context.trace_id == TRACE_ID) == (TRACE_ID, False)


@pytest.mark.parametrize(
    ("error", "end"),
    [(BadAnswer(), "failed"), (ProviderRateLimited(retry_after=1), "waits")],
    ids=str,
)
def test_a_call_that_failed_says_why_and_the_audit_what_became_of_it(
    audited: Audited, error: BadAnswer | ProviderRateLimited, end: str
) -> None:
    audited.hit()
    audited.provider.steps.append(error)
    call, audit = spans_of_an_audit(audited)
    assert (call.error, audit.attributes["askonce.audit.verdict"], audit.linked) == (error.code, end, None)

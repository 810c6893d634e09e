"""Runs the audits of a queue: one at a time in each worker, and only while no client's job waits there."""

import logging
from collections.abc import Mapping
from decimal import Decimal

from shared.background import BackgroundLoop
from shared.domain.catalogue import Offer, serving_of, vendor_of
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.drift import Verdict
from shared.domain.essence import EssenceOf
from shared.domain.routes import Route
from shared.errors import DatabaseUnavailable
from shared.jobs.errors import JobError, ProviderError
from shared.times import now
from shared.traces.context import TraceContext
from workers.audits.asking import AuditAsking, OverCap, Target, Unpriced
from workers.audits.comparison import compare
from workers.audits.judge import JUDGE, make_judge_call, question_of, verdict_of
from workers.audits.spending import Spending
from workers.audits.table import Audit, AuditTable
from workers.bootstrap import WorkerServices
from workers.jobs.question import make_text_call
from workers.jobs.recall import refresh_purge_marks
from workers.tracing import audit_span, traced_audit

LOOK_SECONDS = 2.0
"""How often a worker without an audit looks for one."""

WAIT_SECONDS = 30.0
"""How long an audit waits at least that a provider's limit or breaker keeps from asking."""

MAX_ATTEMPTS = 2
"""An audit that has lost two workers is given up, so that it is paid at most once more."""

LEASE_SLACK_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Auditor:
    """The audits of one worker. It has a thread of its own, so that it takes none from jobs."""

    def __init__(self, worker: WorkerServices, queue: str) -> None:
        settings = worker.services.settings
        database = worker.services.database
        self._worker = worker
        self._judge = settings.audit.judge
        # It asks two providers at most, one after the other.
        lease = 2 * settings.longest_call_seconds + LEASE_SLACK_SECONDS
        self._table = AuditTable(database, queue, lease)
        self._asking = AuditAsking(worker, Spending(database, settings.audit.dollars_per_day))
        self.loop = BackgroundLoop("audits", self._work_off, pause=LOOK_SECONDS)

    def start(self) -> None:
        """Start looking for audits."""
        self.loop.start()

    def close(self) -> None:
        """Look for no more. One that runs is taken up by another worker once its lease has run out."""
        self.loop.stop(timeout=0)

    def run_one(self) -> bool:
        """Run one audit; return False if there is none to run now. Raises DatabaseUnavailable."""
        audit = self._table.take()
        if audit is None:
            return False
        tracer = self._worker.services.tracer
        span = audit_span(tracer)
        run = _Run(audit, self._worker, self._asking, self._judge_target(), span)
        verdict = traced_audit(span, audit.trace, _facts(audit), tracer, run.verdict)
        if verdict is None:
            self._table.put_back(audit, max(run.wait_seconds, WAIT_SECONDS))
            return True
        self._table.end(audit, verdict, run.age_seconds, run.dollars)
        logger.debug("Hit audited", extra={"task_type": audit.task_type, "verdict": verdict})
        return True

    def _work_off(self) -> None:
        try:
            while not self.loop.is_stopping and self.run_one():
                pass
        except DatabaseUnavailable:
            logger.warning("Audits wait: PostgreSQL is away")

    def _judge_target(self) -> Target | None:
        if self._judge is None:
            return None
        serving = serving_of(self._judge, JUDGE.queue, self._worker.services.settings)
        route = Route(serving.provider, self._judge.name)
        return Target(route, serving.vendor, CHAT_COMPLETION.name)


def _facts(audit: Audit) -> Mapping[str, str]:
    return {"askonce.audit.id": str(audit.id), "askonce.task_type": audit.task_type}


class _Run:
    """One attempt of an audit. `dollars`: what it has cost so far. `age_seconds`: of the first answer at the second.

    `wait_seconds`: for how long a provider said that it can't be asked, 0 if it did not say.
    """

    def __init__(
        self,
        audit: Audit,
        worker: WorkerServices,
        asking: AuditAsking,
        judge: Target | None,
        span: TraceContext | None,
    ) -> None:
        self._audit = audit
        self._worker = worker
        self._asking = asking
        self._judge = judge
        self._span = span
        self.dollars = Decimal(0)
        self.age_seconds = 0.0
        self.wait_seconds = 0.0

    def verdict(self) -> Verdict | None:
        """Ask again, compare, and return the verdict; None if the provider can't be asked now.

        Raises DatabaseUnavailable.
        """
        audit = self._audit
        offer = self._worker.services.offers.get(audit.task_type)
        if offer is None or offer.task_type.essence is None or audit.attempts > MAX_ATTEMPTS:
            return Verdict.FAILED
        refresh_purge_marks(self._worker)
        if not self._worker.services.cache.purge_marks.allows(audit.namespace, audit.task_type, audit.started_at):
            return Verdict.PURGED
        try:
            return self._compared(offer, offer.task_type.essence)
        except Unpriced:
            return Verdict.UNPRICED
        except OverCap:
            return Verdict.OVER_CAP
        except ProviderError as error:
            self.wait_seconds = error.retry_after or 0.0
            return None if error.is_wait else Verdict.FAILED

    def _compared(self, offer: Offer, essence_of: EssenceOf) -> Verdict:
        audit = self._audit
        call = make_text_call(audit.request, offer, audit.route.model)
        vendor = vendor_of(self._worker.services.offers, audit.task_type, audit.route)
        asked_at = now()
        paid = self._asking.ask(audit.id, call, Target(audit.route, vendor, audit.task_type), self._span)
        self.dollars += paid.dollars
        self.age_seconds = max(0.0, (asked_at - audit.completed_at).total_seconds())
        if isinstance(paid.outcome, ProviderError):
            raise paid.outcome
        second = paid.outcome.result
        found = compare(audit.result, second, essence_of)
        if found is not None:
            return found
        return self._judged(essence_of(audit.result).text, essence_of(second).text)

    def _judged(self, first: str, second: str) -> Verdict:
        """Return what the judge says; unknown if there is none, or it can't be asked now or can't say."""
        if self._judge is None:
            return Verdict.UNKNOWN
        call = make_judge_call(self._judge.route.model, question_of(self._audit.request), first, second)
        if call is None:
            return Verdict.UNKNOWN
        try:
            paid = self._asking.ask(self._audit.id, call, self._judge, self._span)
        except (Unpriced, OverCap, JobError):
            return Verdict.UNKNOWN
        self.dollars += paid.dollars
        return Verdict.UNKNOWN if isinstance(paid.outcome, ProviderError) else verdict_of(paid.outcome)

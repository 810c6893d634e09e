"""An AskOnce that audits every hit, and its audits."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.asking import row, rows, write
from tests.integration.fake_provider import POSITIVE
from workers.audits.auditor import Auditor
from workers.providers.base import Completion, ModelCall

JUDGE = "openai/gpt-oss-120b"
NEGATIVE = Completion({"label": "negative", "score": 0.9}, POSITIVE.usage)
COST = Decimal("0.00000825")
"""Of a call that takes the tokens of POSITIVE, by the price of its model."""


def summary(text: str) -> Completion:
    return Completion({"summary": text}, POSITIVE.usage)


def judging(verdict: str) -> Callable[[ModelCall], Completion]:
    return lambda _: Completion({"verdict": verdict}, POSITIVE.usage)


class Audited:
    """Its API, worker and auditor. No thread runs: `hit` writes the audit, and `run` runs it."""

    def __init__(self, installation: Installation, **variables: str) -> None:
        given = {"AUDIT_HIT_RATIO": "1", "AUDIT_JUDGE_MODEL": f"groq:{JUDGE}", **variables}
        self.installation = installation
        self.settings = installation.configure(**given)
        self.api: Api = installation.open_api(self.settings)
        self.provider = self.api.provider
        self.database = self.api.services.database
        self.auditor = Auditor(self.api.worker, "text")

    def write(self) -> None:
        """Write the audits that were chosen."""
        assert self.api.services.hit_audits is not None
        self.api.services.hit_audits.flush()

    def hit(self, **fields: object) -> dict[str, Any]:
        """Ask something new twice; return the body. The second answer is a hit, whose audit waits for a worker."""
        body = self.api.answered(**fields)
        assert self.api.post(body).status_code == 200
        self.write()
        self.provider.calls.clear()
        return body

    def run(self) -> bool:
        return self.auditor.run_one()

    def another_auditor(self) -> Auditor:
        """Return that of another worker process, with the same provider."""
        return Auditor(self.installation.open_worker(self.settings, self.provider), "text")

    def drift(self, query: str = "", **headers: str) -> dict[str, Any]:
        """Return what `statistics` says of audits."""
        found: dict[str, Any] = self.api.get(f"/api/v1/statistics{query}", **headers).json["audit"]
        return found

    def verdicts(self) -> dict[str, int]:
        """Return how many audits ended with each verdict, without those of none."""
        drift = self.drift()
        return {name: count for name, count in {**drift["verdicts"], **drift["not_compared"]}.items() if count}

    def spent(self) -> Decimal:
        found = rows(self.database, "SELECT dollars FROM audit_spending")
        return Decimal(0) if not found else Decimal(found[0].dollars)

    def waiting(self) -> int:
        return int(row(self.database, "SELECT count(*) AS number FROM audits").number)

    def let_time_pass(self, seconds: int) -> None:
        """Let answers that wait for their audit be older by so much."""
        write(self.database, "UPDATE audits SET completed_at = completed_at - make_interval(secs => :s)", s=seconds)

    def let_leases_expire(self) -> None:
        write(self.database, "UPDATE audits SET due_at = now()")


def unusable(completion: Completion) -> Completion:
    """Return it as a provider that counts no tokens would."""
    return replace(completion, usage=replace(completion.usage, prompt_tokens=None, completion_tokens=None))

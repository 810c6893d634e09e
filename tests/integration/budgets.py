"""An AskOnce whose keys have budgets."""

from functools import cached_property
from typing import Any
from uuid import UUID

from tests.integration.api_client import a_body
from tests.integration.asking import rows, write
from tests.integration.key_world import KeyWorld
from workers.runner import run_job


class Budgets(KeyWorld):
    """Keys with budgets, and what is on their accounts."""

    def usage(self, client: dict[str, str], budget: str = "tokens_per_day", whose: str = "key") -> tuple[float, float]:
        """Return what is spent and reserved."""
        found = self.api.get("/api/v1/limits", **client).json[whose]["usage"][budget]
        return found["spent"], found["reserved"]

    @cached_property
    def client(self) -> dict[str, str]:
        """A client with a budget that no test comes near."""
        return self.limited(tokens_per_day=100_000, dollars_per_month=1)

    def ask(self, client: dict[str, str], **fields: object) -> str:
        """Make a job and return its id."""
        job_id: str = self.api.post(a_body(**fields), **client).json["job_id"]
        return job_id

    def run(self, job_id: str) -> None:
        write(self.database, "UPDATE jobs SET not_before = now()")
        run_job(UUID(job_id), self.api.worker)

    @property
    def database(self) -> Any:
        return self.api.services.database

    def open_reservations(self) -> int:
        return len(rows(self.database, "SELECT FROM reservations"))

"""Two tenants on one AskOnce that asks for keys."""

from typing import Any

from werkzeug.test import TestResponse

from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.key_world import KeyWorld, bearer

EVERYTHING = ("predict", "read", "cache")


class Tenants(KeyWorld):
    """Clients `a` and `b` of different tenants, a colleague of `a`, and an admin."""

    def __init__(self, installation: Installation, **variables: str) -> None:
        super().__init__(installation, **variables)
        self.a = bearer(self.key(*EVERYTHING, name="a", tenant="acme"))
        self.colleague = bearer(self.key(*EVERYTHING, name="colleague", tenant="acme"))
        self.b = bearer(self.key(*EVERYTHING, name="b", tenant="bolt"))

    def ask(self, client: dict[str, str], body: dict[str, Any], **headers: str) -> TestResponse:
        return self.api.post(body, **client, **headers)

    def answered(self, client: dict[str, str]) -> tuple[dict[str, Any], str]:
        """Ask something new and have it answered; return the body and the job's id."""
        body = a_body()
        response = self.ask(client, body)
        # Where others wait too, its message may serve them first.
        assert any(self.api.run(response, **client)["status"] == "completed" for _ in range(5))
        return body, response.json["job_id"]

    def get(self, client: dict[str, str], path: str) -> TestResponse:
        return self.api.get(f"/api/v1/{path}", **client)

    def delete(self, client: dict[str, str], path: str) -> TestResponse:
        return self.api.http.delete(f"/api/v1/{path}", headers=client)

    def cancel(self, client: dict[str, str], job_id: str) -> TestResponse:
        return self.api.http.post(f"/api/v1/jobs/{job_id}/cancel", headers=client)

    def retry(self, client: dict[str, str], job_id: str) -> TestResponse:
        return self.api.http.post(f"/api/v1/jobs/{job_id}/retry", headers=client)

    def requests(self, client: dict[str, str], query: str = "") -> list[dict[str, Any]]:
        assert self.api.services.request_log.flush()
        found: list[dict[str, Any]] = self.get(client, f"requests{query}").json["requests"]
        return found


def everybody(tenants: Tenants) -> list[tuple[str, dict[str, str]]]:
    """Return the headers of each client by its name."""
    return [("a", tenants.a), ("colleague", tenants.colleague), ("b", tenants.b), ("admin", tenants.admin)]

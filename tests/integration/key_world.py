"""An AskOnce that asks for keys, and keys for it."""

from functools import cached_property
from typing import Any

from werkzeug.test import TestResponse

from api.access.keys import ApiKey, NewKey
from shared.domain.limits import Limits
from tests.installation import Installation
from tests.integration.api_client import Api


class KeyWorld:
    """An API with AUTH=on, on the servers of an installation."""

    def __init__(self, installation: Installation, **variables: str) -> None:
        self.installation = installation
        self.settings = installation.configure(AUTH="on", **variables)
        self.api = installation.open_api(self.settings)
        self.keys = self.api.services.keys
        # Nobody is there to hear announcements, except where a test lets somebody listen.
        self.store = self.keys.store

    @cached_property
    def admin(self) -> dict[str, str]:
        """The headers of an admin."""
        return bearer(self.key("admin", name="root"))

    def key(self, *scopes: str, **given: Any) -> str:
        """Make a key and return its text. `given`: fields of `NewKey`."""
        return self.made(*scopes, **given)[1]

    def made(self, *scopes: str, **given: Any) -> tuple[ApiKey, str]:
        defaults = {"name": "somebody", "tenant": "default"}
        return self.keys.create(NewKey(**{**defaults, **given}, scopes=frozenset(scopes or ("predict", "read"))))

    def limited(self, **limits: Any) -> dict[str, str]:
        """Return the headers of a client of a new key with these limits."""
        return bearer(self.key(limits=Limits(**limits)))

    def another_process(self) -> Api:
        """Return one more API on the same servers, which hears announcements."""
        other = self.installation.open_api(self.settings)
        other.services.key_refresh.start()
        other.listen()
        return other


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def tasks(api: Api, key: str) -> TestResponse:
    """Make a call that any key with a usual scope may make."""
    return api.get("/api/v1/tasks", **bearer(key))

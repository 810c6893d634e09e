"""Remembers which values of Host are allowed, so that they are not parsed for each request."""

from collections.abc import Collection

from api.http.request_head import check_host
from shared.errors import AskOnceError

MAX_HOSTS = 1_000
MAX_CHARACTERS = 300
"""A value that is longer is not remembered: a name has 253, but any number of dots may follow `localhost`."""


class KnownHosts:
    """The values that were allowed so far."""

    def __init__(self, allowed_hosts: Collection[str]) -> None:
        """Take what `check_host` takes."""
        self._allowed_hosts = allowed_hosts
        self._known: set[str] = set()

    def allow(self, host: str) -> bool:
        """Return whether a request with this Host is served."""
        if host in self._known:
            return True
        try:
            check_host(host, self._allowed_hosts)
        except AskOnceError:
            return False
        if len(self._known) < MAX_HOSTS and len(host) <= MAX_CHARACTERS:
            self._known.add(host)
        return True

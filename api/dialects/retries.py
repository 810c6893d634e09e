"""The dialect of a retry: it asks what a failed job was asked, and is answered as `predict` is."""

from api.dialects.tasks import TaskDialect
from shared.domain.request import Client, Request

NO_BODY = 1024
"""A retry has nothing to say in its body; more than this is refused."""


class RetryDialect(TaskDialect):
    """See `Dialect`."""

    def __init__(self, request: Request) -> None:
        """`request`: what to ask, whatever the body says."""
        self._request = request
        self.max_body_bytes = NO_BODY

    def read(self, content_type: str, body: bytes, client: Client) -> Request:
        """Return the request."""
        del content_type, body, client
        return self._request

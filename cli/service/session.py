"""How commands reach a service: the key, the connections, and how long to wait for what."""

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from shared.environment.addresses import is_loopback_name

CONNECT_SECONDS = 4.0
"""For a connection, and for the service to take in a piece of a body. TCP tries a third time after 3 s."""
READ_SECONDS = 10.0
"""For an answer, in addition to the time that the service was told to wait."""
STREAM_SECONDS = 15.0
"""After so long without anything else, the service sends a comment on a stream."""
CONNECTIONS = 64


class _Bearer(AuthBase):
    """Sends the key, if there is one, and never what ~/.netrc says."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class _Adapter(HTTPAdapter):
    """Sends bodies piece by piece: a socket that is given all of one must be rid of it within CONNECT_SECONDS."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:  # noqa: ANN401  as the class above has it
        if isinstance(request.body, bytes):
            # Its length is in the headers already.
            request.body = BytesIO(request.body)  # type: ignore[assignment]  # requests takes files too
        return super().send(request, *args, **more)


def new_session(url: str, key: str | None) -> requests.Session:
    """Return what calls the service at this address. May be used from many threads."""
    session = requests.Session()
    session.auth = _Bearer(key)
    session.headers["User-Agent"] = "askonce"
    # A proxy of the environment would not reach this machine.
    session.trust_env = not is_loopback_name(urlsplit(url).hostname or "")
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_maxsize=CONNECTIONS))
    return session

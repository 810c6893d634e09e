"""Which Host, Content-Encoding and Transfer-Encoding a request may have."""

import re
from collections.abc import Collection

from werkzeug.wrappers import Request

from shared.environment.addresses import is_loopback_name
from shared.errors import (
    ContentEncodingNotSupported,
    HostNotAllowed,
    MalformedRequest,
    TransferEncodingNotSupported,
)

ANY_HOST = "*"

_PLAIN = {"", "identity"}

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?P<port>:[0-9]{0,5})?")


def check_head(request: Request, allowed_hosts: Collection[str]) -> None:
    """Refuse a request whose Host is not one of ours, or whose body comes in a coding that we don't know.

    A page of the web may give its own name the address 127.0.0.1, and then ask us with the user's browser: only Host
    shows it. `allowed_hosts` are allowed beside the names of this machine to itself; `*` allows all. Raises
    MalformedRequest unless there is exactly one Host, and for a query string that is not ASCII; HostNotAllowed,
    TransferEncodingNotSupported, and ContentEncodingNotSupported where there is a body.
    """
    check_host(request.environ.get("HTTP_HOST", ""), allowed_hosts)
    if not request.environ.get("QUERY_STRING", "").isascii():
        message = "The query string has characters that are not ASCII. Send them percent-encoded, in UTF-8."
        raise MalformedRequest(message)
    if request.environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() != "chunked":
        raise TransferEncodingNotSupported
    if _has_body(request) and not _PLAIN.issuperset(_codings(request)):
        raise ContentEncodingNotSupported


def check_host(host: str, allowed_hosts: Collection[str]) -> None:
    """Refuse a Host that is not one of ours; raise MalformedRequest where it is none, and HostNotAllowed."""
    match = _HOST.fullmatch(host)
    if match is None:
        message = "A request must have exactly one Host header, with a host and perhaps a port."
        raise MalformedRequest(message)
    name = match["name"].strip("[]").lower().rstrip(".")
    if not (is_loopback_name(name) or name in allowed_hosts or ANY_HOST in allowed_hosts):
        message = f"The API does not go by the name {name[:253]!r}. If it should, add it to ALLOWED_HOSTS."
        raise HostNotAllowed(message)


def _has_body(request: Request) -> bool:
    return "HTTP_TRANSFER_ENCODING" in request.environ or request.environ.get("CONTENT_LENGTH", "0") not in {"", "0"}


def _codings(request: Request) -> set[str]:
    return {coding.strip().lower() for coding in request.environ.get("HTTP_CONTENT_ENCODING", "").split(",")}

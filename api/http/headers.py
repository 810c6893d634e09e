"""Headers: Host and Transfer-Encoding, Cache-Control (RFC 9111), Prefer (RFC 7240), Cache-Status (RFC 9211)."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

from werkzeug.wrappers import Request

from shared.cache.lookup import Lookup, Visit
from shared.errors import HostNotAllowed, MalformedRequest, TransferEncodingNotSupported

FORBIDDEN = "redis; fwd=request, memcached; fwd=request"

ANY_HOST = "*"

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?P<port>:[0-9]{0,5})?")


MAX_WAIT_SECONDS = 60
DEFAULT_WAIT_SECONDS = 20

# Both are linear in the header's length, whatever it holds.
_MEMBER = re.compile(r'(?:"(?:[^"\\]|\\.|\\$)*(?:"|$)|[^,"])+')
_PART = re.compile(r'([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?')
_SECONDS = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class CacheDirectives:
    """What the client lets the cache do. `max_age`: whole seconds."""

    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age: int | None = None

    @property
    def reads(self) -> bool:
        """Whether a stored answer may be served at all."""
        return not (self.no_cache or self.no_store)

    @property
    def bypasses(self) -> bool:
        """Whether a job made now counts as a bypass of the cache rather than as a miss."""
        return not self.reads or self.max_age is not None


def cache_directives(header: str | None) -> CacheDirectives:
    """Read a request's Cache-Control; unknown and malformed directives are ignored."""
    found = _directives(header)
    return CacheDirectives(
        no_cache="no-cache" in found,
        no_store="no-store" in found,
        only_if_cached="only-if-cached" in found,
        max_age=_seconds(found.get("max-age")),
    )


def preferred_wait(header: str | None) -> int | None:
    """Read `wait=N` from a request's Prefer: seconds, cut to 60; None when absent or malformed.

    Without a number, or with an empty one, it is 20. The first one counts.
    """
    preferences = _directives(header)
    if "wait" not in preferences:
        return None
    wait = _seconds(preferences["wait"]) if preferences["wait"] else DEFAULT_WAIT_SECONDS
    return None if wait is None else min(wait, MAX_WAIT_SECONDS)


def _directives(header: str | None) -> dict[str, str | None]:
    """Split at commas outside of quoted strings; the first of two equal names counts."""
    found: dict[str, str | None] = {}
    for member in _MEMBER.findall(header or ""):
        # Parameters of a preference, after a semicolon, are not the preference's own value.
        match = _PART.fullmatch(member.partition(";")[0].strip())
        if match:
            name, quoted, token = match.groups()
            found.setdefault(name.lower(), quoted if quoted is not None else token)
    return found


def _seconds(value: str | None) -> int | None:
    return int(value) if value and _SECONDS.fullmatch(value) else None


def cache_status(lookup: Lookup | None, *, collapsed: bool = False) -> str:
    """Describe a lookup; None means that the request forbade it. `collapsed`: joined to a job in flight."""
    if lookup is None:
        members = FORBIDDEN.split(", ")
    elif lookup.answer is not None and len(lookup.visits) == 1:
        members = [_member(lookup.visits[0])]
    else:
        members = [_member(visit) for visit in reversed(lookup.visits)]
    if collapsed:
        members[0] += "; collapsed"
    return ", ".join(members)


def _member(visit: Visit) -> str:
    if visit.state == "hit":
        return f"{visit.tier}; hit; ttl={visit.ttl}"
    forwarded = {
        "miss": "fwd=uri-miss",
        "refused": "fwd=request",
        "down": "fwd=miss; detail=down",
        "off": "fwd=bypass",
    }[visit.state]
    stored = "; stored" if visit.stored else ""
    return f"{visit.tier}; {forwarded}{stored}"


def check_head(request: Request, allowed_hosts: Collection[str]) -> None:
    """Refuse a request whose Host is not one of ours, or whose body comes in a coding that we don't know.

    A page of the web may give its own name the address 127.0.0.1, and then ask us with the user's browser: only Host
    shows it. `allowed_hosts` are allowed beside the names of this machine to itself; `*` allows all. Raises
    MalformedRequest unless there is exactly one Host, HostNotAllowed and TransferEncodingNotSupported.
    """
    host = request.environ.get("HTTP_HOST", "")
    match = _HOST.fullmatch(host)
    if match is None:
        message = "A request must have exactly one Host header, with a host and perhaps a port."
        raise MalformedRequest(message)
    name = match["name"].strip("[]").lower().rstrip(".")
    if not (_is_loopback(name) or name in allowed_hosts or ANY_HOST in allowed_hosts):
        message = f"The API does not go by the name {name[:253]!r}. If it should, add it to ALLOWED_HOSTS."
        raise HostNotAllowed(message)
    if request.environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() != "chunked":
        raise TransferEncodingNotSupported


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

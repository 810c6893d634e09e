"""What a client asks of the cache: Cache-Control (RFC 9111) and Prefer (RFC 7240)."""

import re
from dataclasses import dataclass

from werkzeug.http import parse_list_header, unquote_header_value

MAX_WAIT_SECONDS = 60
DEFAULT_WAIT_SECONDS = 20

# A hostile one of 64 KB, all that a head may have, keeps the parser busy for 40 ms; honest ones have 100.
MAX_CHARACTERS = 1000

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
        max_age=_seconds(found.get("max-age", "")),
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


def prefers_async(header: str | None) -> bool:
    """Read `respond-async` from a request's Prefer: the client takes a job in place of the answer."""
    return "respond-async" in _directives(header)


def _directives(header: str | None) -> dict[str, str]:
    """Return names in lower case with their values, "" for none; the first of two equal names counts.

    Nothing, if the header is too long or a quoted string in it has no end.
    """
    if not header or len(header) > MAX_CHARACTERS:
        return {}
    found: dict[str, str] = {}
    for member in parse_list_header(header):
        # Parameters of a preference, after a semicolon, are not the preference's own value.
        name, _, value = member.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), unquote_header_value(value.strip()))
    return found


def _seconds(value: str) -> int | None:
    return int(value) if _SECONDS.fullmatch(value) else None

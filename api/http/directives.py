"""What a client asks of us in headers: Cache-Control (RFC 9111) and Prefer (RFC 7240)."""

import re
from dataclasses import dataclass

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

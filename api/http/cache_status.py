"""What we tell a client of the cache: Cache-Status (RFC 9211)."""

from shared.cache.lookup import Lookup, Visit

FORBIDDEN = "redis; fwd=request, memcached; fwd=request"


def cache_status(lookup: Lookup | None, *, collapsed: bool = False) -> str:
    """Describe a lookup; None means that the request forbade it. `collapsed`: joined to a job in flight."""
    if lookup is None:
        members = FORBIDDEN.split(", ")
    elif lookup.answer is not None and len(lookup.visits) == 1:
        return _member(lookup.visits[0])
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
        "partial": "fwd=partial",
        "refused": "fwd=request",
        "down": "fwd=miss; detail=down",
        "off": "fwd=bypass",
    }[visit.state]
    stored = "; stored" if visit.stored else ""
    return f"{visit.tier}; {forwarded}{stored}"

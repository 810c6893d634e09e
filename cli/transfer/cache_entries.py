"""Answers of the second tier as documents: what `export cache` writes and `import cache` reads."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from redis import Redis

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from shared.cache.entry import Entry, decode, encode
from shared.cache.lookup import KEY_PREFIX
from shared.cache.purges import PurgeMarks
from shared.cache.redis import LINKS, RedisTier
from shared.redis import REDIS_ERRORS

BATCH = 500
MILLISECONDS = 1000
MEMBERS = ("name", "kept_until", "links", "entry")
LATEST = 253_402_300_799
"""The last second of the year 9999, since the epoch."""
_NAME = re.compile(rf"{KEY_PREFIX}:(?P<namespace>[^:]+):(?P<task_type>[a-z_]+):(?P<key>[0-9a-f]{{64}})")


class NoEntry(ValueError):
    """A document that is no answer of a cache; its text says why."""


class StoredEntry(NamedTuple):
    """An answer, where it is kept, and until when (seconds since the epoch). `links`: where it is kept too."""

    name: str
    entry: Entry
    kept_until: float
    links: tuple[str, ...]

    @property
    def place(self) -> Mapping[str, str]:
        """Namespace, task type and key of its name."""
        return parts_of(self.name)


def parts_of(name: str) -> Mapping[str, str]:
    """Return namespace, task type and key of a name in the tiers. Raises NoEntry."""
    match = _NAME.fullmatch(name)
    if match is None:
        message = "its name is not that of an answer"
        raise NoEntry(message)
    return match.groupdict()


def read_entries(client: Redis, task_type: str | None) -> Iterator[StoredEntry]:
    """Yield every answer, or those of a task type. What is written or expires meanwhile may be left out.

    Raises CommandFailed when Redis does not answer.
    """
    try:
        names = client.scan_iter(match=f"{KEY_PREFIX}:*:{task_type or '*'}:*", count=BATCH)
        for batch in _batches(names):
            yield from _read_batch(client, batch)
    except REDIS_ERRORS as error:
        message = "Redis does not answer: start it, or look at REDIS_CACHE_URL"
        raise CommandFailed(message, ExitCode.AWAY) from error


def _read_batch(client: Redis, names: list[bytes]) -> Iterator[StoredEntry]:
    with client.pipeline(transaction=False) as commands:
        for name in names:
            commands.get(name)
            commands.pttl(name)
            commands.smembers(LINKS + name.decode())
        # A key of another type than ours is an error in the place of its value.
        found = commands.execute(raise_on_error=False)
    for name, value, left, links in zip(names, found[::3], found[1::3], found[2::3], strict=True):
        if stored := _stored(name.decode(), value, left, links):
            yield stored


def _batches(names: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for name in names:
        batch.append(name)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _stored(name: str, value: object, left: object, links: object) -> StoredEntry | None:
    """Return an entry; None for a tombstone, for what has expired, and for what nobody could serve."""
    match = _NAME.fullmatch(name)
    if match is None or not isinstance(value, bytes) or not isinstance(left, int) or left <= 0:
        return None
    entry = decode(match["key"], value)
    known = sorted(link.decode() for link in links) if isinstance(links, set) else []
    kept_until = time.time() + left / MILLISECONDS
    return None if entry is None else StoredEntry(name, entry, kept_until, tuple(filter(_NAME.fullmatch, known)))


def document_of(stored: StoredEntry) -> dict[str, Any]:
    """Return an entry as a document."""
    entry = json.loads(encode(stored.place["key"], stored.entry))
    return {"name": stored.name, "kept_until": round(stored.kept_until, 3), "links": stored.links, "entry": entry}


def stored_of(document: Mapping[str, Any]) -> StoredEntry:
    """Return the entry of a document. Raises NoEntry."""
    missing = [name for name in MEMBERS if name not in document]
    if missing:
        message = f"`{missing[0]}` is missing"
        raise NoEntry(message)
    name, kept_until, links = str(document["name"]), document["kept_until"], document["links"]
    if isinstance(kept_until, bool) or not isinstance(kept_until, (int, float)) or not 0 <= kept_until <= LATEST:
        message = f"`kept_until` must be seconds since 1970, up to {LATEST}"
        raise NoEntry(message)
    if not isinstance(links, list):
        message = "`links` must be a list of names"
        raise NoEntry(message)
    for link in links:
        parts_of(str(link))
    entry = decode(parts_of(name)["key"], json.dumps(document["entry"]).encode())
    if entry is None:
        message = "its entry is not one that this version can serve"
        raise NoEntry(message)
    return StoredEntry(name, entry, float(kept_until), tuple(map(str, links)))


def store(stored: StoredEntry, tier: RedisTier, marks: PurgeMarks) -> bool:
    """Store an entry for the time that is left; return False if it has expired, was purged, or a newer one is there."""
    place, seconds = stored.place, int(stored.kept_until - time.time())
    started_at = stored.entry.answer.started_at
    if seconds < 1 or not marks.allows(place["namespace"], place["task_type"], started_at):
        return False
    held = tier.get(stored.name)
    there = None if held is None else decode(place["key"], held)
    if there is not None and there.completed_at >= stored.entry.completed_at:
        return False
    if stored.links:
        tier.link([stored.name, *stored.links], seconds)
    return tier.set_unless_buried(stored.name, encode(place["key"], stored.entry), seconds, started_at.timestamp())

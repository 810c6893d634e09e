"""The parts of an answer on their way from a worker to those who listen, in a Redis stream for each job.

They may be lost: who misses one waits for the end of the job, whose row has the whole answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

PREFIX = "askonce:deltas:"


class End(StrEnum):
    """How an attempt that has sent chunks ended."""

    WHOLE = "whole"  # its chunks are the job's answer, which is committed
    LOST = "lost"  # they are worth nothing: the job goes on without them, or has failed


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream: successive chunks of a chat completion, as JSON without line breaks.

    `claim`: which claim of the job has made them; chunks of two claims are parts of different answers. `start`: how
    many chunks of this claim came before; an entry may repeat some of those. `end`: set on the last entry of a claim.
    """

    claim: int
    start: int
    chunks: Sequence[bytes]
    end: End | None = None


def key_of(job_id: UUID) -> str:
    """Return the key of a job's stream."""
    return f"{PREFIX}{job_id}"


def fields_of(entry: Entry) -> dict[str, bytes | int | str]:
    """Return the fields of an entry, as they are stored."""
    stored: dict[str, bytes | int | str] = {"claim": entry.claim, "start": entry.start}
    if entry.chunks:
        stored["chunks"] = b"\n".join(entry.chunks)
    if entry.end is not None:
        stored["end"] = entry.end.value
    return stored


def read_entry(stored: Mapping[bytes, bytes]) -> Entry | None:
    """Return the entry of these fields; None for anything else, such as what another version has written."""
    try:
        claim, start = int(stored[b"claim"]), int(stored[b"start"])
        end = End(stored[b"end"].decode()) if b"end" in stored else None
    except (KeyError, ValueError):
        return None
    chunks = stored[b"chunks"].split(b"\n") if b"chunks" in stored else []
    return Entry(claim, start, chunks, end)

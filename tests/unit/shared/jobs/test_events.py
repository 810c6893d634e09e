import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.cache.purges import Purge
from shared.jobs.notifier import JobEnded, PurgeAnnounced, read_event

JOB = "0192f3a4-5b6c-7d8e-9f01-23456789abcd"
PURGED = {
    "event": "purged",
    "purge_id": "p",
    "namespace": "default",
    "task_type": "chat",
    "purged_at": "2026-11-25T12:00:00+00:00",
}


def test_the_end_of_a_job_is_understood() -> None:
    assert read_event(json.dumps({"event": "job_ended", "job_id": JOB}).encode()) == JobEnded(UUID(JOB))


def test_a_purge_is_understood() -> None:
    purge = Purge("default", "chat", datetime(2026, 11, 25, 12, tzinfo=UTC))
    assert read_event(json.dumps(PURGED).encode()) == PurgeAnnounced(purge, "p")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"5",
        b'"job_ended"',
        b"[]",
        b"[" * 100_000,
        b"{}",
        b'{"event": {}}',
        b'{"event": "from another version"}',
        b'{"event": "job_ended"}',
        b'{"event": "job_ended", "job_id": "no UUID"}',
        b'{"event": "job_ended", "job_id": 5}',
        b'{"event": "job_ended", "job_id": null}',
        b'{"event": "job_ended", "job_id": ["0192f3a4-5b6c-7d8e-9f01-23456789abcd"]}',
        *(
            json.dumps({name: value for name, value in PURGED.items() if name != left_out}).encode()
            for left_out in PURGED
        ),
        *(json.dumps({**PURGED, name: []}).encode() for name in PURGED),
        json.dumps({**PURGED, "purged_at": "yesterday"}).encode(),
        json.dumps({**PURGED, "purged_at": "2026-11-25T12:00:00"}).encode(),
        json.dumps({**PURGED, "purged_at": 5}).encode(),
    ],
    ids=lambda data: str(data[:40]),
)
def test_what_is_no_event_of_ours_is_nothing(data: bytes) -> None:
    assert read_event(data) is None

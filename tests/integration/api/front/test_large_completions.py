"""A large body sent to `/v1/chat/completions` is read by a thread, and holds up nobody."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from api.dialects import completions
from api.front.fast_path import MAX_BYTES, PARSED_HERE_BYTES
from api.http.json_body import parse_json
from tests.installation import Installation
from tests.integration.completion_calls import HELD, USER, a_call, error_of, open_front, with_fields
from tests.integration.front_client import FrontClient, Received

pytestmark = pytest.mark.usefixtures("patient_tiers")


def large_bodies() -> dict[str, tuple[bytes, int]]:
    """Return bodies that are refused, and with which status."""
    return {
        "10 MB in one message": (with_fields(messages=[{**USER, "content": "a" * 10_000_000}]), 400),
        "10 MB in 1,000 messages": (with_fields(messages=[{**USER, "content": "a" * 10_000}] * 1000), 400),
        "10,000 messages": (with_fields(messages=[USER] * 10_000), 413),
        "1 MB of brackets": (b"[" * 1_000_000, 400),
        "1 MB of NUL": (b"\0" * 1_000_000, 400),
        "1 MB that is no UTF-8": (b'{"messages": "' + b"\xff" * 1_000_000, 400),
        "a number of 1 MB": (b'{"n": ' + b"1" * 1_000_000 + b"}", 400),
    }


@pytest.fixture
def front(installation: Installation) -> Iterator[FrontClient]:
    with open_front(installation) as front:
        yield front


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that have parsed a body."""
    names: list[str] = []

    def parse(body: bytes) -> Any:
        names.append(threading.current_thread().name)
        return parse_json(body)

    monkeypatch.setattr(completions, "parse_json", parse)
    return names


def test_what_is_large_is_refused_by_a_thread(front: FrontClient, readers: list[str]) -> None:
    bodies = large_bodies()
    for name, (body, status) in bodies.items():
        received = front.call(a_call(body))
        assert (received.status, error_of(received)["type"]) == (status, "invalid_request_error"), name
    assert len(readers) == len(bodies)
    assert threading.current_thread().name not in readers


@pytest.mark.parametrize("more", [PARSED_HERE_BYTES, MAX_BYTES])
def test_hits_of_others_come_while_a_large_body_is_read(
    front: FrontClient, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def parse(body: bytes) -> Any:
        if len(body) > PARSED_HERE_BYTES:
            reading.set()
            assert go_on.wait(30)
        return parse_json(body)

    monkeypatch.setattr(completions, "parse_json", parse)
    large, hit = Received(b"{" + b" " * more), Received(with_fields(messages=[{**USER, "content": HELD}]))

    async def both() -> None:
        first = asyncio.create_task(front.front.serve(a_call(large.body_sent), large))
        await asyncio.to_thread(reading.wait, 30)
        await front.front.serve(a_call(hit.body_sent), hit)
        assert not first.done()
        go_on.set()
        await first

    front.run(both())
    assert (hit.status, large.status) == (200, 400)

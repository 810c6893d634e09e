"""Which workers are alive, as each says in a real Valkey."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from redis import Redis

from shared.breaker import FAILURES_TO_OPEN
from shared.operation import workers
from shared.operation.workers import WorkerBoard, WorkerState
from tests.installation import Installation

WORKER = WorkerState("text@host-1a2b3c", "text", slots=16, running=3, started_at=datetime(2026, 11, 27, tzinfo=UTC))
OTHER = replace(WORKER, name="image@host-4d5e6f", queue="image", running=0)


@pytest.fixture
def board(installation: Installation) -> WorkerBoard:
    return installation.worker.operation.board


@pytest.fixture
def redis(installation: Installation) -> Iterator[Redis]:
    with Redis.from_url(installation.settings.redis_cache_url) as client:
        yield client


def alive(board: WorkerBoard) -> list[WorkerState]:
    found = board.read()
    assert found is not None
    assert all(0 <= each.heard_seconds < workers.ALIVE_SECONDS for each in found)
    return [replace(each, heard_seconds=0.0) for each in found]


def test_a_worker_that_speaks_is_alive_with_its_last_words(board: WorkerBoard) -> None:
    board.say(replace(WORKER, running=0))
    board.say(OTHER)
    board.say(WORKER)
    assert alive(board) == [OTHER, WORKER]


def test_a_worker_that_has_ended_is_gone_at_once(board: WorkerBoard) -> None:
    board.say(WORKER, b"metrics")
    board.say(OTHER)
    board.leave(WORKER.name)
    assert alive(board) == [OTHER]
    assert board.read_metrics() == {}


def test_a_worker_that_is_silent_is_taken_for_dead_and_forgotten(board: WorkerBoard, redis: Redis) -> None:
    board.say(WORKER, b"metrics")
    redis.zincrby("askonce:workers:beats", -workers.ALIVE_SECONDS, WORKER.name)
    board.say(OTHER)
    assert alive(board) == [OTHER]
    assert redis.hkeys("askonce:workers:said") == redis.hkeys("askonce:workers:metrics") == [OTHER.name.encode()]


def test_what_a_worker_has_counted_is_kept_with_its_name(board: WorkerBoard) -> None:
    board.say(WORKER, b"askonce_calls_total 1.0\n")
    board.say(OTHER)
    assert board.read_metrics() == {WORKER.name: b"askonce_calls_total 1.0\n"}


@pytest.mark.parametrize("said", [b"[]", b"nonsense", b'{"queue": "text"}', b'{"started_at": 7}', b"[" * 100_000])
def test_what_somebody_else_wrote_is_left_out(board: WorkerBoard, redis: Redis, said: bytes) -> None:
    board.say(OTHER)
    board.say(WORKER)
    redis.hset("askonce:workers:said", WORKER.name, said)
    assert alive(board) == [OTHER]
    redis.hdel("askonce:workers:said", WORKER.name)
    assert alive(board) == [OTHER]


def test_a_key_of_another_kind_fails_nobody_and_opens_no_breaker(board: WorkerBoard, redis: Redis) -> None:
    redis.set("askonce:workers:beats", "mine")
    for _ in range(FAILURES_TO_OPEN):
        board.say(WORKER)
        assert board.read() is None
        assert board.read_metrics() == {}
    redis.delete("askonce:workers:beats")
    board.say(WORKER)
    assert alive(board) == [WORKER]


def test_nothing_is_left_once_all_are_silent(board: WorkerBoard, redis: Redis) -> None:
    board.say(WORKER, b"metrics")
    keys = redis.keys("askonce:workers:*")
    assert len(keys) == 3
    assert all(0 < redis.pttl(key) <= workers.ALIVE_SECONDS * 1000 for key in keys)

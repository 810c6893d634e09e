"""Chat completions in pieces: what is left of a stream when its job, its client, a server or this process fails."""

import asyncio

import pytest

from api.front import streamed_call, streams
from shared.jobs.errors import ProviderRejected
from tests.freezing import frozen_process
from tests.integration.asking import row
from tests.integration.streaming_world import DONE, Run, StreamingWorld, document_of, ended, question
from tests.servers import Servers


def test_a_job_that_fails_before_any_piece_has_its_status(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        refused, task = world.post(question())
        job = await world.claim()
        await world.fail(job, ProviderRejected())
        await ended(task)
        assert (refused.status, refused.header("content-type")) == (400, "application/json")
        assert b'"provider_rejected"' in refused.body
        assert await world.records() == [("miss", 400)]

    run(test)


def test_an_attempt_that_is_lost_in_the_middle_ends_the_stream_and_the_job_goes_on(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        begun, task = world.post(body)
        job = await world.claim()
        world.say(job, "Hi")
        await begun.heard("Hi")
        await world.lose(job)
        await ended(task)
        assert (begun.text, begun.last) == ("Hi", "stream_interrupted")
        late, second = world.post(body)
        again = await world.claim()
        assert again.id == job.id
        world.say_all(again, "Good day")
        await late.heard("Good day")
        await world.complete(again, "Good day")
        await ended(second)
        assert (late.last, begun.text) == (DONE, "Hi")
        found = (
            row(world.api.services.database, "SELECT request FROM requests WHERE outcome = 'miss'")
            if await world.records()
            else None
        )
        assert found is not None
        assert found.request["error"] == "stream_interrupted"

    run(test)


def test_text_of_another_attempt_is_never_glued_on(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question())
        job = await world.claim()
        world.say(job, "Hi")
        await heard.heard("Hi")
        # As after the death of the worker: nothing says that the attempt is lost.
        await asyncio.to_thread(lambda: world.api.worker.claims.requeue(job, 0, counted=True))
        again = await world.claim()
        world.say_all(again, "Good day")
        await ended(task)
        assert (heard.text, heard.last) == ("Hi", "stream_interrupted")

    run(test)


def test_a_job_that_fails_after_a_piece_ends_the_stream_with_its_error(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question())
        job = await world.claim()
        world.say(job, "Hi")
        await heard.heard("Hi")
        await world.fail(job, ProviderRejected())
        await ended(task)
        assert heard.last == "stream_interrupted"

    run(test)


def test_an_end_that_is_not_heard_of_ends_the_stream_with_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LAST_PIECES_SECONDS", 0.1)

    async def test(world: StreamingWorld) -> None:
        body = question()
        heard, task = world.post(body)
        job = await world.claim()
        world.say(job, "Hi")
        await heard.heard("Hi")
        await world.complete(job, "Hi there", marks=False)
        await ended(task)
        assert (heard.text, heard.last) == ("Hi", "stream_interrupted")

    run(test)


def test_a_comment_keeps_a_quiet_stream_alive_and_errors_are_events_then(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed_call, "COMMENT_SECONDS", 0.05)

    async def test(world: StreamingWorld) -> None:
        quiet, first = world.post(question())
        job = await world.claim()
        await quiet.until(lambda each: each.body.count(b":") > 2)
        assert (quiet.status, quiet.events) == (200, [])
        await world.fail(job, ProviderRejected())
        await ended(first)
        assert quiet.last == "provider_rejected"
        replayed, second = world.post(question())
        job = await world.claim()
        await replayed.until(lambda each: each.body)
        await world.complete(job, "Hi there", marks=False)
        await ended(second)
        assert (replayed.text, replayed.last) == ("Hi there", DONE)
        assert await world.records() == [("miss", 400), ("miss", 200)]

    run(test)


def test_a_client_that_is_gone_is_forgotten_and_its_job_goes_on(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question())
        job = await world.claim()
        world.say(job, "Hi")
        await heard.heard("Hi")
        heard.gone.set()
        await ended(task)
        assert world.api.services.waiters.count == 0
        await world.complete(job, "Hi there")
        assert world.api.services.jobs.get(job.id).result == {"completion": document_of("Hi there")}
        assert await world.records() == [("miss", 200)]

    run(test)


@pytest.mark.parametrize("run", [{"CANCEL_ABANDONED": "true"}], indirect=True, ids=["abandoned jobs are cancelled"])
def test_a_job_is_cancelled_with_the_last_of_those_who_listen(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        calls = [world.post(body) for _ in range(2)]
        await world.listening(2)
        job = await world.claim()
        for (heard, task), status in zip(calls, ["in_progress", "cancelled"], strict=True):
            heard.gone.set()
            await ended(task)
            assert world.api.services.jobs.get(job.id).status == status

    run(test)


@pytest.mark.parametrize("run", [{"CANCEL_ABANDONED": "true"}], indirect=True, ids=["abandoned jobs are cancelled"])
@pytest.mark.parametrize("other", ["whole", "asynchronous"])
def test_a_job_is_not_cancelled_that_others_want_too(run: Run, other: str) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        heard, task = world.post(body)
        await world.listening(1)
        if other == "whole":
            world.post({**body, "stream": False})
            await world.listening(2)
        else:
            assert (await world.answered(body, prefer="respond-async")).status == 202
        job = await world.claim()
        heard.gone.set()
        await ended(task)
        assert world.api.services.jobs.get(job.id).status == "in_progress"

    run(test)


@pytest.mark.parametrize("run", [{"UNREAD_BUDGET_BYTES": "1000000"}], indirect=True, ids=["a small budget"])
def test_a_client_who_reads_nothing_is_cut_where_too_much_is_unread(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_call, "FREE_BYTES", 0)

    async def test(world: StreamingWorld) -> None:
        assert world.front.use().unread_bytes == 0
        heard, task = world.post(question())
        job = await world.claim()
        for _ in range(11):
            world.say(job, "x" * 100_000)
        await ended(task)
        assert 0 < len(heard.body) < 1_000_000
        assert world.front.use().unread_bytes == 0

    run(test)


def test_redis_lost_in_the_middle_ends_the_stream_and_the_job_completes(run: Run, servers: Servers) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        heard, task = world.post(body)
        job = await world.claim()
        world.say(job, "Hi")
        await heard.heard("Hi")
        assert servers.valkey.pid is not None
        with frozen_process(servers.valkey.pid):
            await ended(task)
            assert heard.last == "stream_interrupted"
        await world.complete(job, "Hi there")
        assert world.api.services.jobs.get(job.id).status == "completed"

    run(test)


def test_those_who_wait_are_told_when_the_process_stops(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        begun, first = world.post(question())
        job = await world.claim()
        world.say(job, "Hi")
        await begun.heard("Hi")
        waiting, second = world.post(question())
        await world.listening(2)
        await asyncio.to_thread(world.api.services.waiters.release)
        await ended(first)
        await ended(second)
        assert (begun.last, waiting.status) == ("job_not_ended", 503)

    run(test)

"""Chat completions in pieces: what clients get who listen while a job runs."""

import asyncio
from typing import Any

import pytest

from shared.domain.answer import Usage
from tests.integration.asking import row
from tests.integration.streaming_world import DONE, USAGE, Run, StreamingWorld, document_of, ended, question
from workers.providers.base import Completion
from workers.runner import run_job

COUNTED = {"stream_options": {"include_usage": True}}


def test_a_miss_is_streamed_while_its_job_runs(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question())
        job = await world.claim()
        assert job.streams
        world.say(job, "Hi")
        await heard.heard("Hi")
        world.say(job, " there")
        await heard.heard("Hi there")
        await world.complete(job, "Hi there")
        await ended(task)
        assert (heard.status, heard.last, heard.text) == (200, DONE, "Hi there")
        assert heard.header("content-type") == "text/event-stream"
        assert heard.header("x-askonce-job") == str(job.id)
        assert "uri-miss" in (heard.header("cache-status") or "")
        assert await world.records() == [("miss", 200)]

    run(test)


def test_calls_that_flask_has_to_read_are_streamed_too(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question(), content_type="application/json; charset=utf-8; x=y", expect="nothing")
        job = await world.claim()
        world.say(job, "Hi")
        await heard.heard("Hi")
        await world.complete(job, "Hi")
        await ended(task)
        assert (heard.status, heard.last) == (200, DONE)
        assert len([name for name, _ in heard.headers if name.lower() == "content-type"]) == 1

    run(test)


def test_all_who_listen_hear_the_same_each_under_an_id_of_its_own(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        calls = [world.post(body)]
        job = await world.claim()
        world.say(job, "Hi")
        await calls[0][0].heard("Hi")
        calls += [world.post(body) for _ in range(3)]
        for heard, _ in calls:
            await heard.heard("Hi")
        world.say(job, " there")
        await world.complete(job, "Hi there")
        for _, task in calls:
            await ended(task)
        ids = [{chunk["id"] for chunk in heard.events[:-1]} for heard, _ in calls]
        assert all(len(each) == 1 for each in ids)
        assert len(set.union(*ids)) == 4
        assert {(heard.text, heard.last) for heard, _ in calls} == {("Hi there", DONE)}
        assert sorted(await world.records()) == [("joined", 200)] * 3 + [("miss", 200)]

    run(test)


def test_the_usage_comes_to_those_who_ask_for_it(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        silent, first = world.post(body)
        counting, second = world.post({**body, **COUNTED})
        job = await world.claim()
        await world.listening(2)
        world.say_all(job, "Hi there")
        await counting.heard("Hi there")
        await world.complete(job, "Hi there")
        await ended(first)
        await ended(second)
        assert all("usage" not in each for each in silent.events[:-1])
        assert all(each["usage"] is None for each in counting.events[:-2])
        last = counting.events[-2]
        assert (last["choices"], last["usage"]) == ([], USAGE)
        assert last["x_askonce"] == {"saved": None, "job_id": str(job.id), "tier": None}

    run(test)


@pytest.mark.parametrize("counted", [False, True])
def test_a_hit_is_replayed(run: Run, counted: bool) -> None:  # noqa: FBT001  a parameter of the test
    async def test(world: StreamingWorld) -> None:
        body = question(**(COUNTED if counted else {}))
        _, task = world.post({**body, "stream": False})
        job = await world.claim()
        answer = document_of("Hi there")
        world.api.provider.default = _completion(answer)
        await world.lose(job)
        await _run_worker(world)
        await ended(task)
        heard = await world.answered(body)
        assert (heard.text, heard.last, heard.status) == ("Hi there", DONE, 200)
        assert heard.header("content-type") == "text/event-stream"
        assert "hit" in (heard.header("cache-status") or "")
        if counted:
            last = heard.events[-2]
            assert last["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
            assert (last["x_askonce"]["tier"], last["x_askonce"]["saved"]["total_tokens"]) == ("memcached", 5)
        again = await world.answered(body)
        assert again.events[0]["id"] != heard.events[0]["id"]
        assert ("memcached", 200) in await world.records()

    run(test)


def test_a_stream_and_a_whole_answer_share_one_job(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        whole, first = world.post({**body, "stream": False})
        await world.listening(1)
        heard, second = world.post(body)
        await world.listening(2)
        job = await world.claim()
        assert job.streams
        world.say_all(job, "Hi there")
        await heard.heard("Hi there")
        await world.complete(job, "Hi there")
        await ended(first)
        await ended(second)
        assert (heard.last, whole.status) == (DONE, 200)
        assert b"Hi there" in whole.body

    run(test)


def test_a_client_who_joins_a_call_that_does_not_stream_gets_the_answer_when_it_is_there(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        body = question()
        world.post({**body, "stream": False})
        job = await world.claim()
        heard, task = world.post(body)
        await world.listening(2)
        await world.complete(job, "Hi there", marks=False)
        await ended(task)
        assert (heard.status, heard.text, heard.last) == (200, "Hi there", DONE)

    run(test)


def test_a_client_that_prefers_it_gets_the_job(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        assert (await world.answered(question(), prefer="respond-async")).status == 202

    run(test)


def _completion(document: dict[str, Any]) -> Completion:
    return Completion({"completion": document}, Usage(3, 2, 5))


async def _run_worker(world: StreamingWorld) -> None:
    found = row(world.api.services.database, "SELECT id FROM jobs WHERE status = 'queued'")
    await asyncio.to_thread(run_job, found.id, world.api.worker)

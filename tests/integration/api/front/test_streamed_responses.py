"""Responses as events: what clients hear while a job runs, and how they go on where they stopped."""

import uuid
from typing import Any

import pytest

from shared.jobs.errors import ProviderRejected
from tests.integration.fast_path_world import COMPLETION_MODEL
from tests.integration.streaming_world import Run, Streamed, StreamingWorld, ended

PATH = "/v1/responses"


def question(**fields: Any) -> dict[str, Any]:
    return {"model": COMPLETION_MODEL, "input": f"Say hi {uuid.uuid4()}", "stream": True, **fields}


def text_of(events: list[Any]) -> str:
    return "".join(each["delta"] for each in events if each["type"] == "response.output_text.delta")


def said(heard: Streamed) -> str:
    return text_of(heard.events)


async def until_said(heard: Streamed, text: str) -> None:
    await heard.until(lambda each: said(each) == text)


def id_in(heard: Streamed) -> str:
    name: str = heard.events[0]["response"]["id"]
    return name


def test_a_response_is_heard_while_its_job_runs(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question(), PATH)
        job = await world.claim()
        assert job.streams
        world.say(job, "Hi")
        await until_said(heard, "Hi")
        assert heard.events[0]["response"]["status"] == "in_progress"
        world.say(job, " there")
        await until_said(heard, "Hi there")
        await world.complete(job, "Hi there")
        await ended(task)
        last = heard.events[-1]
        assert (heard.status, said(heard), last["type"]) == (200, "Hi there", "response.completed")
        assert last["response"]["output"][0]["content"][0]["text"] == "Hi there"
        assert heard.header("content-type") == "text/event-stream"
        assert await world.records() == [("miss", 200)]

    run(test)


def test_a_client_can_go_on_after_any_event(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question(), PATH)
        job = await world.claim()
        world.say(job, "Hi there")
        await until_said(heard, "Hi there")
        await world.complete(job, "Hi there")
        await ended(task)
        for each in heard.events:
            number = each["sequence_number"]
            rest, task = world.get(f"{PATH}/{id_in(heard)}", f"stream=true&starting_after={number}")
            await ended(task)
            before = [each for each in heard.events if each["sequence_number"] <= number]
            assert text_of(before) + said(rest) == "Hi there"
            assert all(each["sequence_number"] > number for each in rest.events)

    run(test)


def test_a_client_that_was_cut_off_goes_on_while_the_job_still_runs(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        first, task = world.post(question(background=True), PATH)
        job = await world.claim()
        world.say(job, "Hi")
        await until_said(first, "Hi")
        first.gone.set()
        await ended(task)
        after = first.events[-1]["sequence_number"]
        rest, task = world.get(f"{PATH}/{id_in(first)}", f"stream=true&starting_after={after}")
        world.say(job, " there")
        await until_said(rest, " there")
        await world.complete(job, "Hi there")
        await ended(task)
        assert (said(rest), rest.events[-1]["type"]) == (" there", "response.completed")
        assert rest.events[0]["sequence_number"] > after

    run(test)


@pytest.mark.parametrize("run", [{"CANCEL_ABANDONED": "true"}], indirect=True)
def test_a_response_in_the_background_goes_on_without_its_listener(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question(background=True), PATH)
        job = await world.claim()
        world.say(job, "Hi")
        await until_said(heard, "Hi")
        heard.gone.set()
        await ended(task)
        assert world.api.services.jobs.get(job.id).status == "in_progress"

    run(test)


def test_an_attempt_that_is_lost_ends_the_events_and_another_answer_is_not_glued_on(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question(), PATH)
        job = await world.claim()
        world.say(job, "Hi")
        await until_said(heard, "Hi")
        await world.lose(job)
        await ended(task)
        assert (heard.events[-1]["type"], heard.events[-1]["code"]) == ("error", "stream_interrupted")
        await world.complete(await world.claim(), "Hello")
        path, after = f"{PATH}/{id_in(heard)}", heard.events[-2]["sequence_number"]
        refused, task = world.get(path, f"stream=true&starting_after={after}")
        await ended(task)
        anew, task = world.get(path, "stream=true")
        await ended(task)
        assert (refused.status, said(anew)) == (400, "Hello")

    run(test)


def test_a_job_that_fails_before_its_first_text_is_an_error(run: Run) -> None:
    async def test(world: StreamingWorld) -> None:
        heard, task = world.post(question(), PATH)
        job = await world.claim()
        await world.listening()
        await world.fail(job, ProviderRejected("no"))
        await ended(task)
        assert heard.status == 400
        assert b"provider_rejected" in heard.body

    run(test)

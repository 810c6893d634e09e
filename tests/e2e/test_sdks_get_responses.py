"""The Responses API with OpenAI's own SDK, which is used as it is."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from tests.e2e.sdks import MODEL, Sdk, a_question
from tests.stack import SESSION_STACK, Stack, eventually

WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": None,
}


class City(BaseModel):
    name: str
    inhabitants: int


@pytest.fixture(scope="module", params=("openai", "openai-async"))
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    with closing(Sdk(request.param, SESSION_STACK.running().url(""))) as sdk:
        yield sdk


def something_new() -> str:
    text: str = a_question()["messages"][-1]["content"]
    return text


def respond(sdk: Sdk, **fields: Any) -> Response:
    response: Response = sdk.use(lambda client: client.responses.create(model=MODEL, **fields))
    return response


def test_a_response_is_in_the_sdks_own_types_and_can_be_read_again(stack: Stack, sdk: Sdk) -> None:
    question = something_new()
    made, hit = (respond(sdk, input=question, instructions="Be brief.") for _ in range(2))
    for response in (made, hit):
        # OpenAI has other names for the tiers of its service than Groq.
        Response.model_validate({**response.to_dict(), "service_tier": None})
        assert sdk.use(lambda client, id_=response.id: client.responses.retrieve(id_)) == response
    assert made.output_text == hit.output_text != ""
    assert made.usage is not None
    assert made.usage.total_tokens > 0
    assert stack.paid() == 1


def test_a_response_in_the_background_can_be_polled_and_cancelled(sdk: Sdk) -> None:
    begun = respond(sdk, input=something_new(), background=True)
    read = lambda: sdk.use(lambda client: client.responses.retrieve(begun.id))  # noqa: E731
    eventually(lambda: read().status == "completed")
    assert sdk.use(lambda client: client.responses.cancel(begun.id)).output_text == read().output_text


def test_functions_are_called_and_their_output_goes_back(sdk: Sdk) -> None:
    first = respond(sdk, input=something_new(), tools=[WEATHER], tool_choice="required")
    (call,) = first.output
    assert call.type == "function_call"
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    assert "sunny" in respond(sdk, input=[output], tools=[WEATHER], previous_response_id=first.id).output_text


def test_an_answer_is_parsed_as_a_model_of_pydantics(sdk: Sdk) -> None:
    wanted = {"model": MODEL, "input": something_new(), "text_format": City}
    assert isinstance(sdk.use(lambda client: client.responses.parse(**wanted)).output_parsed, City)


def test_what_is_deleted_is_the_error_that_the_sdk_has_for_it(sdk: Sdk) -> None:
    response = respond(sdk, input=something_new())
    sdk.use(lambda client: client.responses.delete(response.id))
    with pytest.raises(sdk.module.NotFoundError):
        sdk.use(lambda client: client.responses.retrieve(response.id))
    with pytest.raises(sdk.module.BadRequestError) as raised:
        respond(sdk, input="Go on.", previous_response_id=response.id)
    assert (raised.value.code, raised.value.param) == ("previous_response_not_found", "previous_response_id")


def test_events_come_as_the_sdks_own_types_and_go_on_from_any_of_them(sdk: Sdk) -> None:
    question = something_new()

    def ask(client: Any) -> Any:
        return client.responses.create(model=MODEL, input=question, stream=True)

    for events in (heard(sdk, ask), heard(sdk, ask)):
        whole = events[-1].response
        assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
        assert text_of(events) == whole.output_text
        after = events[4].sequence_number

        def read(client: Any, name: str = whole.id, after: int = after) -> Any:
            return client.responses.retrieve(name, stream=True, starting_after=after)

        assert text_of(events[:5]) + text_of(heard(sdk, read)) == whole.output_text


def heard(sdk: Sdk, begin: Callable[[Any], Any]) -> list[Any]:
    """Return all events of a stream."""
    if not sdk.is_async:
        return list(sdk.use(begin))

    async def listen(client: Any) -> list[Any]:
        return [event async for event in await begin(client)]

    events: list[Any] = sdk.use(listen)
    return events


def text_of(events: list[Any]) -> str:
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")

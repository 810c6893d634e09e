"""`/v1/responses` that go on from others, and what they are asked with."""

import uuid

import pytest

from api.responses import store
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.compatible_endpoint import api_that_hears
from tests.integration.responding import MODEL, PATHS, a_question, answered, completion, post
from tests.integration.tenants import Tenants


@pytest.fixture
def asking(installation: Installation) -> Api:
    return api_that_hears(installation, completion({"content": "Lisbon."}))


def test_one_response_goes_on_from_another(asking: Api) -> None:
    first = answered(asking, a_question(instructions="Be brief."))
    second = answered(asking, {"model": MODEL, "input": "Of Spain?", "previous_response_id": first.json["id"]})
    answered(asking, {"model": MODEL, "input": "Of France?", "previous_response_id": second.json["id"]})
    assert second.json["previous_response_id"] == first.json["id"]
    asked = asking.provider.calls[2].input.body["messages"]  # type: ignore[union-attr]
    assert [(each["role"], each["content"]) for each in asked[1:]] == [
        ("assistant", "Lisbon."),
        ("user", "Of Spain?"),
        ("assistant", "Lisbon."),
        ("user", "Of France?"),
    ]


def test_functions_are_called_and_their_output_goes_back(asking: Api) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "capital", "arguments": '{"of":"Portugal"}'}}
    asking.provider.steps.append(completion({"content": None, "reasoning": "Hm.", "tool_calls": [call]}, "tool_calls"))
    tool = {"type": "function", "name": "capital", "parameters": {"type": "object"}, "strict": True}
    first = answered(asking, a_question(tools=[tool], tool_choice={"type": "function", "name": "capital"}))
    thought, called = first.json["output"]
    assert thought["content"] == [{"type": "reasoning_text", "text": "Hm."}]
    assert {name: called[name] for name in ("type", "status", "call_id", "name", "arguments")} == {
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "capital",
        "arguments": '{"of":"Portugal"}',
    }
    output = {"type": "function_call_output", "call_id": "call_1", "output": "Lisbon"}
    answered(asking, {"model": MODEL, "input": [output], "previous_response_id": first.json["id"]})
    asked = [given.input.body for given in asking.provider.calls]  # type: ignore[union-attr]
    function = {"name": "capital", "parameters": {"type": "object"}, "strict": True}
    assert asked[0]["tools"] == [{"type": "function", "function": function}]
    assert asked[0]["tool_choice"] == {"type": "function", "function": {"name": "capital"}}
    assert asked[1]["messages"][1:] == [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Lisbon"},
    ]


def test_nobody_goes_on_from_what_is_not_there_or_has_no_answer(asking: Api) -> None:
    first = answered(asking, a_question())
    second = answered(asking, a_question(previous_response_id=first.json["id"]))
    asking.http.delete(f"{PATHS[0]}/{first.json['id']}")
    begun = post(asking, a_question(background=True))
    for previous, code in (
        ("resp_nothing", "previous_response_not_found"),
        (first.json["id"], "previous_response_not_found"),
        (second.json["id"], "previous_response_not_found"),
        (begun.json["id"], "invalid_request"),
    ):
        response = post(asking, a_question(previous_response_id=previous))
        error = response.json["error"]
        assert (response.status_code, error["code"], error["param"]) == (400, code, "previous_response_id")


def test_its_input_is_listed_in_pages(asking: Api) -> None:
    items = [{"role": "user", "content": f"{index} {uuid.uuid4()}"} for index in range(3)]
    path = f"{PATHS[0]}/{answered(asking, a_question(input=items)).json['id']}/input_items"
    whole = asking.get(f"{path}?order=asc").json
    first = asking.get(f"{path}?limit=2").json
    rest = asking.get(f"{path}?limit=2&after={first['last_id']}").json
    assert [item["content"][0]["text"] for item in whole["data"]] == [item["content"] for item in items]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [*first["data"], *rest["data"]] == list(reversed(whole["data"]))
    assert asking.get(f"{path}?after=nobody").json["error"]["param"] == "after"


def test_a_conversation_that_is_too_long_is_not_gone_on_from(asking: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LONGEST_CHAIN", 2)
    last = answered(asking, a_question()).json["id"]
    for _ in range(2):
        last = answered(asking, a_question(previous_response_id=last)).json["id"]
    error = post(asking, a_question(previous_response_id=last)).json["error"]
    assert (error["code"], error["param"]) == ("invalid_request", "previous_response_id")
    assert "more than 2 responses come before it: begin anew" in error["message"]
    assert "bytes" not in error["message"]


def test_an_item_of_a_stored_response_is_named_by_its_id(asking: Api) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "capital", "arguments": "{}"}}
    asking.provider.steps.append(completion({"content": None, "tool_calls": [call]}, "tool_calls"))
    first = answered(asking, a_question())
    (question,) = asking.get(f"{PATHS[0]}/{first.json['id']}/input_items").json["data"]
    output = {"type": "function_call_output", "call_id": "call_1", "output": "Lisbon"}
    references = [{"type": "item_reference", "id": item["id"]} for item in (question, *first.json["output"])]
    second = answered(asking, {"model": MODEL, "input": [*references, output]})
    asked = asking.provider.calls[1].input.body["messages"]  # type: ignore[union-attr]
    assert asked == [
        {"role": "user", "content": question["content"][0]["text"]},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Lisbon"},
    ]
    listed = asking.get(f"{PATHS[0]}/{second.json['id']}/input_items?order=asc").json["data"]
    assert [item["type"] for item in listed] == ["message", "function_call", "function_call_output"]


@pytest.mark.parametrize("reference", ["msg_1", f"msg_{'0' * 32}_0", "msg_{made}_7", "fc_{made}_0"])
def test_a_reference_to_no_item_is_not_found(asking: Api, reference: str) -> None:
    made = answered(asking, a_question()).json["id"].removeprefix("resp_")
    item = {"type": "item_reference", "id": reference.format(made=made)}
    response = post(asking, {"model": MODEL, "input": [item]})
    assert response.status_code == 404
    assert item["id"] in response.json["error"]["message"]


def test_another_tenants_items_cant_be_named(installation: Installation) -> None:
    tenants = Tenants(installation)
    stored = post(tenants.api, a_question(background=True), **tenants.a).json["id"].removeprefix("resp_")
    item = {"type": "item_reference", "id": f"msg_{stored}_in0"}
    assert post(tenants.api, {"model": MODEL, "input": [item], "background": True}, **tenants.b).status_code == 404
    assert post(tenants.api, {"model": MODEL, "input": [item], "background": True}, **tenants.a).status_code == 200


def test_of_all_tools_those_that_are_allowed_are_named_to_the_provider(asking: Api) -> None:
    tools = [{"type": "function", "name": name, "parameters": {"type": "object"}} for name in ("capital", "river")]
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "river"}]}
    response = answered(asking, a_question(tools=tools, tool_choice=allowed))
    assert (response.json["tool_choice"], len(response.json["tools"])) == (allowed, 2)
    asked = asking.provider.calls[0].input.body  # type: ignore[union-attr]
    assert [each["function"]["name"] for each in asked["tools"]] == ["river"]
    assert asked["tool_choice"] == "required"

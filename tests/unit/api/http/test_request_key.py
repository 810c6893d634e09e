"""The cache key is a contract: a key that changes throws every stored answer away, one that is shared mixes them up."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from examples import GIF, REAL, RULES, data_url, make_rules, multipart, read
from hypothesis import assume, given
from hypothesis import strategies as st

from api.http.intake import read_request
from shared.domain.options import History, Integer, Number, Option, Text
from shared.domain.registry import TASK_TYPES
from shared.domain.request import ANONYMOUS, Client, key_of, key_parts
from tests.checkout import CHECKOUT

GOLDEN = json.loads((Path(__file__).parent / "golden_keys.json").read_text())
REAL_RULES = make_rules(**REAL)

Body = dict[str, Any]


def key(body: Body) -> str:
    return read(body).key


# Values that are canonical already: two that differ mean different things.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
CLEAN = TEXT.map(lambda text: unicodedata.normalize("NFC", text)).filter(str.strip)
URLS = st.text("abcXYZ/%20", max_size=8).map(lambda path: f"https://example.com/{path}")
HISTORY = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": CLEAN}), min_size=1, max_size=3
)


def values(option: Option) -> st.SearchStrategy[Any]:
    """Return what an option takes, by its kind; unset as well where it has no default."""
    found: st.SearchStrategy[Any]
    match option.kind:
        case Integer(minimum, maximum):
            found = st.integers(minimum, maximum)
        case Number(minimum, maximum):
            found = st.floats(minimum, maximum)
        case Text():
            found = CLEAN
        case History():
            found = HISTORY
        case kind:
            pytest.fail(f"no values of {kind}")
    return found if option.required or option.default is not None else st.none() | found


OPTIONS = {each.name: {option.name: values(option) for option in each.options} for each in TASK_TYPES}


def bodies(task_type: str) -> st.SearchStrategy[Body]:
    """Return bodies in which every part is given."""
    offer = RULES.catalogue[task_type]
    return st.fixed_dictionaries(
        {
            "task_type": st.just(task_type),
            "input": URLS if offer.task_type.takes_picture else CLEAN,
            "model": st.sampled_from(offer.allowed_models),
            "options": st.fixed_dictionaries(OPTIONS[task_type]),
        }
    )


ANY_BODY = st.sampled_from(list(OPTIONS)).flatmap(bodies)
TWO_OF_A_KIND = st.sampled_from(list(OPTIONS)).flatmap(lambda name: st.tuples(bodies(name), bodies(name)))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["name"])
def test_a_golden_request_has_its_golden_key(golden: Body) -> None:
    rules = REAL_RULES if golden["providers"] == "real" else RULES
    assert read(golden["body"], rules).key == golden["key"]


def test_the_golden_requests_are_of_all_tasks() -> None:
    assert {golden["body"]["task_type"] for golden in GOLDEN} == set(RULES.catalogue)


def test_another_process_with_other_hashes_makes_the_same_key() -> None:
    program = f"from examples import read; print(read({GOLDEN[12]['body']!r}).key)"
    environment = {"PYTHONPATH": f"{CHECKOUT}:{CHECKOUT}/tests/unit", "PYTHONHASHSEED": "1", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == key(GOLDEN[12]["body"])


@given(ANY_BODY, ANY_BODY)
def test_two_different_requests_never_share_a_key(one: Body, other: Body) -> None:
    assert (key(one) == key(other)) == (one == other)


@given(TWO_OF_A_KIND, st.data())
def test_two_requests_that_differ_in_one_part_never_share_a_key(pair: tuple[Body, Body], data: st.DataObject) -> None:
    one, other = pair
    name = data.draw(st.sampled_from(["input", "model", *one["options"]]))
    changed = (
        {**one, "options": {**one["options"], name: other["options"][name]}}
        if name in one["options"]
        else {**one, name: other[name]}
    )
    assume(changed != one)
    assert key(changed) != key(one)


@given(ANY_BODY)
def test_a_simulated_answer_is_never_taken_for_a_real_one(body: Body) -> None:
    assert read(body, REAL_RULES).key != key(body)


@given(ANY_BODY)
def test_answers_are_shared_within_a_namespace_only(body: Body) -> None:
    stranger = Client("stranger", "another")
    content = json.dumps(body).encode()
    assert read_request("application/json", content, stranger, RULES).key != key(body)


@given(ANY_BODY)
def test_clients_of_one_namespace_share_answers(body: Body) -> None:
    colleague = Client("colleague", ANONYMOUS.namespace)
    content = json.dumps(body).encode()
    assert read_request("application/json", content, colleague, RULES).key == key(body)


def parts(**changes: Any) -> str:
    given: Body = {"namespace": "n", "task_type": "t", "prompt_version": 1, "provider": "p", "model": "m"}
    given = {**given, "options": {"a": 1}, "input_identity": {"kind": "text", "value": "v"}}
    return key_of(key_parts(**{**given, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"namespace": "x"},
        {"task_type": "x"},
        {"prompt_version": 2},
        {"provider": "x"},
        {"model": "x"},
        {"options": {"a": 2}},
        {"options": {"a": None}},
        {"options": {"b": 1}},
        {"options": {}},
        {"input_identity": {"kind": "url", "value": "v"}},
        {"input_identity": {"kind": "text", "value": "x"}},
        {"provider": "m", "model": "p"},
        {"namespace": "nt", "task_type": ""},
    ],
    ids=repr,
)
def test_every_part_of_the_key_counts(changes: Body) -> None:
    assert parts(**changes) != parts()


def test_a_key_is_64_hex_digits() -> None:
    assert len(parts()) == 64
    assert set(parts()) <= set("0123456789abcdef")


@given(TEXT.filter(str.strip))
def test_all_ways_to_encode_a_text_have_the_same_key(text: str) -> None:
    forms = {key({"task_type": "sentiment", "input": unicodedata.normalize(form, text)}) for form in ("NFC", "NFD")}
    assert forms == {key({"task_type": "sentiment", "input": text})}


def test_compatible_characters_are_not_the_same() -> None:
    assert key({"task_type": "sentiment", "input": "\ufb01ne"}) != key({"task_type": "sentiment", "input": "fine"})


@pytest.mark.parametrize("text", ["hello", "Hello ", "Hello\n", "Hello\u200b"])
def test_texts_that_only_look_alike_have_different_keys(text: str) -> None:
    assert key({"task_type": "sentiment", "input": text}) != key({"task_type": "sentiment", "input": "Hello"})


def chat(**options: object) -> str:
    return key({"task_type": "chat", "input": "Hello", "options": options})


def test_a_float_option_given_as_an_integer_has_the_same_key() -> None:
    assert chat(temperature=1) == chat(temperature=1.0)


def test_an_integer_option_given_as_a_float_has_the_same_key() -> None:
    assert chat(max_tokens=100.0) == chat(max_tokens=100)


def test_minus_zero_has_the_key_of_zero() -> None:
    assert chat(temperature=-0.0) == chat(temperature=0.0) == chat(temperature=0)


def test_no_history_has_the_key_of_an_empty_one() -> None:
    assert chat(history=[]) == chat(history=None) == chat()


def test_the_order_of_turns_counts() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    assert chat(history=turns) != chat(history=turns[::-1])


@pytest.mark.parametrize("task_type", list(RULES.catalogue))
def test_a_default_that_is_given_has_the_key_of_one_that_is_not(task_type: str) -> None:
    offer = RULES.catalogue[task_type]
    picture = "https://example.com/" if offer.task_type.takes_picture else "Hello"
    required = {option.name: "French" for option in offer.task_type.options if option.required}
    defaults = {option.name: option.default for option in offer.task_type.options if not option.required}
    short = {"task_type": task_type, "input": picture, "options": required}
    assert key({**short, "model": offer.model, "options": {**required, **defaults}}) == key(short)


@given(ANY_BODY, st.randoms(use_true_random=False))
def test_the_order_of_names_does_not_count(body: Body, random: Any) -> None:
    shuffled = dict(random.sample(list(body.items()), len(body)))
    shuffled["options"] = dict(random.sample(list(body["options"].items()), len(body["options"])))
    assert key(shuffled) == key(body)


def test_a_picture_has_one_key_whether_uploaded_or_in_a_data_url() -> None:
    form = multipart(("task_type", None, b"image_captioning"), ("file", "cat.gif", GIF))
    uploaded = read_request(*form, ANONYMOUS, RULES).key
    assert uploaded == key({"task_type": "image_captioning", "input": data_url(head="data:image/png;base64")})


def test_a_text_that_reads_like_a_url_is_no_picture() -> None:
    kinds = [parts(input_identity={"kind": kind, "value": "https://example.com/"}) for kind in ("text", "url")]
    assert kinds[0] != kinds[1]

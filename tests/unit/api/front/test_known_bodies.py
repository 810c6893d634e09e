from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from examples import ANSWER, RULES, TASKS, read

from api.dialects.tasks import TaskDialect
from api.front.known_bodies import COPIES_OF_BODY, COPIES_OF_VALUE, OVERHEAD_BYTES, KnownBodies, KnownBody
from api.hit import prepare
from api.recording import asked_of
from shared.cache.entry import Entry, encode
from shared.domain.prices import Prices
from shared.domain.request import ANONYMOUS

SIZE = 100
PREPARE = partial(prepare, prices=Prices({}), dialect=TASKS)
ROOM = OVERHEAD_BYTES + COPIES_OF_BODY * SIZE
"""What a body of that size takes."""


@pytest.fixture
def known() -> KnownBody:
    return make()


def make(grown: Callable[[int], object] = print) -> KnownBody:
    request = read({"task_type": "sentiment", "input": "a text"})
    return KnownBody(request, asked_of(request, redact=False), SIZE, PREPARE, grown)


def value(known: KnownBody, expires_at: float) -> bytes:
    return encode(known.request.key, Entry(ANSWER, expires_at))


def test_a_value_is_parsed_once(known: KnownBody) -> None:
    key, held = known.request.key, value(known, 1.0)
    assert known.decode(key, held) is known.decode(key, bytes(held))


def test_the_values_of_both_tiers_are_remembered(known: KnownBody) -> None:
    key, first, second = known.request.key, value(known, 1.0), value(known, 2.0)
    entries = known.decode(key, first), known.decode(key, second)
    assert (known.decode(key, first), known.decode(key, second)) == entries
    assert known.decode(key, first) is entries[0]


def test_a_new_value_takes_the_place_of_an_old_one(known: KnownBody) -> None:
    key = known.request.key
    for expires_at in (1.0, 2.0, 3.0):
        entry = known.decode(key, value(known, expires_at))
        assert entry is not None
        assert entry.expires_at == expires_at


def test_a_value_of_another_key_is_no_entry(known: KnownBody) -> None:
    foreign = encode("b" * 64, Entry(ANSWER, 1.0))
    assert known.decode(known.request.key, foreign) is None
    assert known.decode(known.request.key, foreign) is None


def test_what_was_prepared_belongs_to_the_answer(known: KnownBody) -> None:
    entry = known.decode(known.request.key, value(known, 1.0))
    assert entry is not None
    assert known.prepared(entry.answer) is known.prepared(entry.answer)
    other = replace(ANSWER, result={"label": "negative"})
    assert b"negative" in known.prepared(other).rendered.before


def test_the_size_of_a_body_grows_with_its_values(known: KnownBody) -> None:
    held = value(known, 1.0)
    known.decode(known.request.key, held)
    assert known.size == ROOM + COPIES_OF_VALUE * len(held)


def test_each_value_is_counted_once_however_often_it_is_read() -> None:
    told: list[int] = []
    known = make(told.append)
    held = value(known, 1.0)
    for _ in range(3):
        known.decode(known.request.key, held)
    assert told == [COPIES_OF_VALUE * len(held)]


def test_bodies_that_were_asked_for_of_late_are_kept() -> None:
    bodies, often = KnownBodies(limit=10 * ROOM), make()
    bodies.remember(TASKS, b"often", often)
    for number in range(100):
        bodies.remember(TASKS, b"%d" % number, make())
        assert bodies.find(TASKS, ANONYMOUS, b"often") is often
    assert bodies.find(TASKS, ANONYMOUS, b"0") is None


def test_a_body_means_something_else_in_another_dialect() -> None:
    bodies = KnownBodies()
    bodies.remember(TASKS, b"body", make())
    assert bodies.find(TaskDialect(RULES), ANONYMOUS, b"body") is None


def test_never_more_bodies_are_kept_than_the_limit_allows() -> None:
    bodies = KnownBodies(limit=10 * ROOM)
    for number in range(1000):
        bodies.remember(TASKS, b"%d" % number, make())
        kept = sum(
            bodies.find(TASKS, ANONYMOUS, b"%d" % each) is not None for each in range(max(0, number - 20), number)
        )
        assert kept <= 11

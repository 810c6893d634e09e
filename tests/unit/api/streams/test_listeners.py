"""What one who listens hears of the entries that come."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from api.http.pieces import Piece
from api.streams.listeners import Audience, Listening
from shared.jobs.deltas import End, Entry

JOB = UUID(int=1)


@dataclass
class Heard:
    """One who writes down what it hears."""

    said: list[str] = field(default_factory=list)

    def pieces(self, pieces: Sequence[Piece]) -> None:
        self.said += [json.loads(b"{" + piece.counted)["n"] for piece in pieces]

    def whole(self) -> None:
        self.said.append("whole")

    def lost(self) -> None:
        self.said.append("lost")


def entry(claim: int, start: int, said: str = "", end: End | None = None) -> Entry:
    """An entry of one chunk for each letter."""
    chunks = [json.dumps({"choices": [{}], "n": letter}).encode() for letter in said]
    return Entry(claim, start, chunks, end)


def heard(*batches: Sequence[Entry], beyond: int = 0) -> list[str]:
    hears = Heard()
    listening = Listening(JOB, hears, beyond)
    for batch in batches:
        listening.take(Audience(JOB).parts_of(batch))
    return hears.said


A, B = entry(1, 0, "ab"), entry(1, 2, "c")
WHOLE, LOST = entry(1, 3, end=End.WHOLE), entry(1, 3, end=End.LOST)


@pytest.mark.parametrize("batches", [[[A], [B], [WHOLE]], [[A, B, WHOLE]], [[A, B], [WHOLE]]])
def test_an_answer_is_heard_in_any_batches(batches: list[list[Entry]]) -> None:
    assert heard(*batches) == ["a", "b", "c", "whole"]


def test_nothing_is_heard_after_the_end() -> None:
    assert heard([A, B, WHOLE], [entry(2, 0, "x")]) == ["a", "b", "c", "whole"]


def test_an_attempt_that_is_lost_in_the_middle_is_the_end() -> None:
    assert heard([A], [B, LOST], [entry(2, 0, "x")]) == ["a", "b", "c", "lost"]


def test_text_of_another_attempt_is_never_glued_on() -> None:
    assert heard([A], [entry(2, 0, "x")], [entry(2, 1, end=End.WHOLE)]) == ["a", "b", "lost"]


def test_not_even_where_it_would_go_on_at_the_same_place() -> None:
    assert heard([A], [entry(2, 2, "x")]) == ["a", "b", "lost"]


def test_whoever_has_heard_nothing_yet_follows_the_newest_attempt() -> None:
    assert heard([A, B, entry(2, 0, "x"), entry(2, 1, end=End.WHOLE)]) == ["x", "whole"]


def test_whoever_has_heard_nothing_yet_waits_for_the_attempt_after_a_lost_one() -> None:
    assert heard([A, B, LOST], [entry(2, 0, "x")]) == ["x"]


def test_an_attempt_that_is_known_to_be_over_is_not_heard() -> None:
    assert heard([A, B], [entry(2, 0, "x")], beyond=1) == ["x"]


def test_late_entries_of_an_older_attempt_are_not_heard() -> None:
    assert heard([entry(2, 0, "x")], [B], [entry(2, 1, "y")]) == ["x", "y"]


def test_a_gap_is_the_end() -> None:
    assert heard([A], [entry(1, 3, "d")]) == ["a", "b", "lost"]


def test_what_is_sent_again_is_heard_once() -> None:
    assert heard([A], [entry(1, 0, "abc")], [entry(1, 1, "bc"), entry(1, 3, "d", End.WHOLE)]) == [*"abcd", "whole"]


def test_an_answer_without_its_beginning_is_not_heard() -> None:
    assert heard([B], [WHOLE], [entry(2, 0, "x")]) == ["x"]


def test_an_end_with_a_gap_before_it_is_none() -> None:
    assert heard([A], [WHOLE]) == ["a", "b", "lost"]


def test_an_entry_that_cannot_be_read_is_a_gap() -> None:
    broken = Entry(1, 2, [b"{"])
    assert heard([A], [broken, WHOLE]) == ["a", "b", "lost"]


def test_whoever_has_heard_something_loses_it_once() -> None:
    hears = Heard()
    listening = Listening(JOB, hears)
    listening.lose()
    listening.take(Audience(JOB).parts_of([A]))
    listening.lose()
    listening.lose()
    assert hears.said == ["a", "b", "lost"]

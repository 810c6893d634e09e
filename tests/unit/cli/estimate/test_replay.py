"""What a log's calls would have come to, against a plain model of one cache."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cli.estimate.logs import chat, completion, replayed, spend_row, write

TTLS, SIZES = (30, 100), (2_000, 10**6)
CALLS = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(0, 20),
        st.sampled_from("abcdef"),
        st.sampled_from(["mini", "maxi"]),
        st.sampled_from(["stop", "stop", "length"]),
        st.booleans(),
    ),
    max_size=30,
)
"""When, how long, what, of whom, how it ended, and whether another cache answered. In no order."""

Call = tuple[int, int, str, str, str, bool]


def row(call: Call) -> dict[str, Any]:
    seconds, took, text, model, reason, free = call
    answer = completion(text * 400, reason)
    columns = {"model": model, "response": answer, "cache_hit": str(free), "prompt_tokens": 7}
    return spend_row(seconds, took, chat(text, model), **columns)


def plainly(calls: list[Call], ttl: int, size: int) -> Counter[tuple[str, str]]:
    """Count hits and joined calls by model: a cache as a list, the one asked for longest ago first."""
    held: list[tuple[tuple[str, str], float]] = []
    outcomes: Counter[tuple[str, str]] = Counter()
    for seconds, took, text, model, reason, _ in sorted(calls, key=lambda call: call[0]):
        key, made = (text, model), next((made for name, made in held if name == (text, model)), None)
        is_there = made is not None
        if made is not None and seconds < made:
            outcomes[model, "joined"] += 1
        elif made is not None and seconds - made < ttl:
            outcomes[model, "hits"] += 1
        else:
            made = seconds + took if reason == "stop" else float("-inf")
        if is_there or reason == "stop":
            held = [*(each for each in held if each[0] != key), (key, made)]
        while len(held) * (700 + 400) > size:
            del held[0]
    return outcomes


@given(CALLS)
def test_hits_and_joined_calls_are_those_of_a_plain_cache(calls: list[Call]) -> None:
    with TemporaryDirectory() as folder:
        _, replay = replayed(write(Path(folder) / "log.jsonl", map(row, calls)), TTLS, SIZES)
    models = {model: number for number in replay.models for model in [_model_of(calls, number)]}
    for size, bytes_ in enumerate(SIZES):
        for ttl, seconds in enumerate(TTLS):
            expected = plainly(calls, seconds, bytes_)
            found = {
                **{(model, "hits"): replay.hits(number, size, ttl).calls for model, number in models.items()},
                **{(model, "joined"): replay.joined(number, size, ttl).calls for model, number in models.items()},
            }
            assert {name: count for name, count in found.items() if count} == dict(expected)


def _model_of(calls: list[Call], number: int) -> str:
    """Return the model with a number: models are numbered as the log has them."""
    return list(dict.fromkeys(call[3] for call in calls))[number]


@given(CALLS)
def test_a_call_is_a_hit_is_joined_or_is_paid_and_its_tokens_go_with_it(calls: list[Call]) -> None:
    with TemporaryDirectory() as folder:
        _, replay = replayed(write(Path(folder) / "log.jsonl", map(row, calls)), TTLS, SIZES)
    assert sum(replay.all(number).calls for number in replay.models) == len(calls)
    for number in replay.models:
        for total in (replay.all(number), replay.hits(number, 1, 1), replay.joined(number, 1, 1)):
            assert total.prompt == 7 * (total.calls - total.free)

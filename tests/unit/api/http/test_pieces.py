"""Chunks as the events that clients get."""

import json
from typing import Any

import pytest

from api.http.pieces import piece_of, read_piece, start_of

TEXT = {"id": "provider's", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
USAGE = {**TEXT, "choices": [], "usage": {"total_tokens": 3}}
OURS = {"job_id": "j"}


def document(rest: bytes | None) -> dict[str, Any]:
    assert rest is not None
    data = (start_of("chatcmpl-1") + rest).decode()
    assert data.startswith("data: ")
    assert data.endswith("\n\n")
    found: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return found


def test_a_chunk_has_the_id_of_its_client_and_nothing_of_the_usage() -> None:
    assert document(piece_of(TEXT, OURS).plain) == {**TEXT, "id": "chatcmpl-1", "object": "chat.completion.chunk"}


def test_whoever_asks_for_the_usage_gets_null_in_all_chunks_but_the_last() -> None:
    counted = piece_of({**TEXT, "usage": {"total_tokens": 1}}, OURS).counted
    assert document(counted)["usage"] is None


def test_the_chunk_of_the_usage_is_for_those_who_ask_for_it() -> None:
    piece = piece_of(USAGE, OURS)
    assert piece.plain is None
    assert document(piece.counted)["usage"] == {"total_tokens": 3}
    assert document(piece.counted)["x_askonce"] == OURS


def test_a_chunk_with_neither_choices_nor_usage_is_for_all() -> None:
    plain, counted, _ = piece_of({**TEXT, "choices": [], "prompt_filter_results": []}, OURS)
    assert document(plain)["prompt_filter_results"] == []
    assert document(counted)["usage"] is None


@pytest.mark.parametrize("chunk", [b"", b"{", b"7", b"[]", b"\xff"])
def test_what_is_no_chunk_is_refused(chunk: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of json, of codecs, or ours
        read_piece(chunk, OURS)

"""Replies in Redis' protocol (RESP2), whole and in parts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.tiers.connection import Incomplete, Malformed
from api.tiers.redis import MAX_DEPTH, parse

REPLY = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


def written(reply: Any) -> bytes:
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    return b"*%d\r\n" % len(reply) + b"".join(map(written, reply))


@given(REPLY, st.binary(max_size=5), st.binary(max_size=5))
def test_a_reply_is_read_from_where_it_begins_to_where_it_ends(reply: Any, before: bytes, after: bytes) -> None:
    data = written(reply)
    assert parse(before + data + after, len(before)) == (reply, len(before) + len(data))


@given(REPLY, st.data())
def test_a_part_of_a_reply_is_incomplete_and_no_more_is_said_to_be_missing_than_is(
    reply: Any, data: st.DataObject
) -> None:
    whole = written(reply)
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(Incomplete) as caught:
        parse(part, 0)
    assert caught.value.size <= len(whole)


@pytest.mark.parametrize("data", [b"*x\r\n", b":x\r\n", b"$x\r\n", b"!1\r\n", b"*1\r\n" * (MAX_DEPTH + 1) + b":1\r\n"])
def test_what_is_no_reply_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data, 0)


def test_no_array_is_none() -> None:
    assert parse(b"*-1\r\n", 0) == (None, 5)

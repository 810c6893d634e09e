import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.outbound.body_limit import BodyTooLarge, collect
from workers.outbound.content_coding import PIECE_BYTES, BadCoding, decoded

EMPTY_BLOCK = bytes((0, 0, 0, 0xFF, 0xFF))


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[place : place + size] for place in range(0, len(content), size)]


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_a_body_without_coding_stays_as_it_is(coding: str) -> None:
    assert list(decoded([b"ab", b"", b"c"], coding)) == [b"ab", b"", b"c"]


@given(st.binary(max_size=500), st.integers(1, 50), st.sampled_from(["gzip", "x-gzip", "GZIP"]))
def test_gzip_is_undone_however_it_is_cut(content: bytes, size: int, coding: str) -> None:
    assert b"".join(decoded(cut(gzip.compress(content), size), coding)) == content


def test_no_piece_is_large() -> None:
    pieces = list(decoded([gzip.compress(bytes(1_000_000))], "gzip"))
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert sum(map(len, pieces)) == 1_000_000


def test_an_empty_body_has_no_coding() -> None:
    assert list(decoded([], "gzip")) == []


@pytest.mark.parametrize("coding", ["gzip, gzip", "deflate", "br", "zstd", "cat", "gzip,"])
def test_no_other_coding_is_undone(coding: str) -> None:
    with pytest.raises(BadCoding):
        decoded([b""], coding)


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"cut")[:-1], gzip.compress(b"wrong")[:-8] + bytes(8)],
    ids=["no gzip", "cut off", "a wrong sum"],
)
def test_what_is_not_what_its_coding_says_is_refused(content: bytes) -> None:
    with pytest.raises(BadCoding):
        list(decoded([content], "gzip"))


def test_what_arrives_is_limited_even_if_nothing_comes_out_of_it() -> None:
    def endless() -> Iterator[bytes]:
        yield gzip.compress(b"")[:10]
        while True:
            yield EMPTY_BLOCK

    with pytest.raises(BodyTooLarge):
        collect(endless(), 1_000, "gzip")


def test_what_comes_out_is_limited() -> None:
    with pytest.raises(BodyTooLarge):
        collect([gzip.compress(bytes(1_000))], 999, "gzip")

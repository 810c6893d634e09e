from collections.abc import Iterator

import pytest

from workers.outbound.body_limit import BodyTooLarge, collect


def test_a_body_of_the_greatest_size_is_whole() -> None:
    assert collect([b"ab", b"", b"c"], 3) == b"abc"


def test_no_more_is_read_than_shows_that_it_is_too_much() -> None:
    read = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(b"ab")
            yield b"ab"

    with pytest.raises(BodyTooLarge):
        collect(endless(), 3)
    assert len(read) == 2

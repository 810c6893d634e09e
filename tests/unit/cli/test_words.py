"""How numbers are shown."""

import pytest

from cli.terminal.words import dollars, duration, size


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(None, "-"), (0, "$0.00"), (1234.5, "$1,234.50"), (0.25, "$0.25"), (0.00000862, "$0.0000086"), (0.0996, "$0.100")],
)
def test_dollars_have_the_digits_that_say_something(amount: float | None, shown: str) -> None:
    assert dollars(amount) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0451, "45 ms"), (1.25, "1.2 s"), (75, "75 s"), (600, "10 min"), (9000, "2.5 h"), (259_200, "3.0 days")],
)
def test_a_time_span_has_the_unit_that_suits_it(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(("number", "shown"), [(None, "-"), (999, "999 bytes"), (1500, "1.5 kB"), (2e15, "2,000.0 TB")])
def test_a_size_has_the_unit_that_suits_it(number: float | None, shown: str) -> None:
    assert size(number) == shown

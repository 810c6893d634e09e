from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.limits import DOLLAR_LIMITS, LIMIT_NAMES, MOST, NO_LIMITS, Limits, limits_from

NUMBERS = st.none() | st.integers(0, MOST)
CENTS = st.none() | st.decimals(0, 1_000_000, allow_nan=False, places=4)
LIMITS = st.fixed_dictionaries({name: CENTS if name in DOLLAR_LIMITS else NUMBERS for name in LIMIT_NAMES})


@given(LIMITS)
def test_limits_are_the_same_after_a_document(given_limits: dict[str, int | Decimal | None]) -> None:
    limits = Limits(**given_limits)  # type: ignore[arg-type]  # each by its name
    assert limits_from(limits.document()) == limits


def test_a_document_names_every_limit() -> None:
    assert NO_LIMITS.document() == dict.fromkeys(LIMIT_NAMES)


@pytest.mark.parametrize(
    ("name", "limited"),
    [
        ("requests_per_minute", (False, False, False)),
        ("queued_jobs", (True, False, False)),
        ("jobs_in_flight", (True, False, False)),
        ("tokens_per_month", (False, True, False)),
        ("dollars_per_day", (False, False, True)),
    ],
)
def test_a_limit_of_0_is_a_limit(name: str, limited: tuple[bool, bool, bool]) -> None:
    limits = limits_from({name: 0})
    assert (limits.limits_jobs, limits.limits_tokens, limits.limits_dollars) == limited

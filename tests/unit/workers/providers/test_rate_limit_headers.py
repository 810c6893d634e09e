import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from workers.providers.headers import MAX_SECONDS, pause_seconds


def spent(reset: str, kind: str = "requests") -> dict[str, str]:
    return {f"x-ratelimit-remaining-{kind}": "0", f"x-ratelimit-reset-{kind}": reset}


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("6s", 6.0),
        ("2m59.56s", 179.56),
        ("1h2m3s", 3723.0),
        ("24h5m", MAX_SECONDS),
        ("120ms", 0.12),
        ("1s500ms", 1.5),
        ("0s", None),
        ("7", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_reset_is_a_duration(reset: str, seconds: float | None) -> None:
    assert pause_seconds(spent(reset)) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "6s"}, None),
        ({"x-ratelimit-remaining-requests": "0"}, None),
        ({**spent("6s"), **spent("9s", "tokens")}, 9.0),
        ({"RateLimit": '"api";r=0;t=55'}, 55.0),
        ({"RateLimit": '"api";r=7;t=55'}, None),
        ({"RateLimit": '"api";r=01;t=55'}, None),
        ({"RateLimit": '"api";r=3;t=55, "other";r=0;t=9'}, 9.0),
        ({"RateLimit": '"api";r=0'}, None),
    ],
)
def test_only_where_nothing_remains_there_is_a_rest(headers: dict[str, str], seconds: float | None) -> None:
    assert pause_seconds(headers) == seconds


@pytest.mark.parametrize("kind", [httpx.Headers, CaseInsensitiveDict])
def test_names_are_found_in_any_case(kind: type[httpx.Headers]) -> None:
    assert pause_seconds(kind({"X-RateLimit-Remaining-Requests": "0", "X-Ratelimit-Reset-Requests": "6s"})) == 6.0


@given(st.text(), st.text())
def test_any_headers_give_a_bounded_rest_or_none(reset: str, policy: str) -> None:
    seconds = pause_seconds({**spent(reset), "RateLimit": policy})
    assert seconds is None or 0 < seconds <= MAX_SECONDS

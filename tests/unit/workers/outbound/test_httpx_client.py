import httpcore
import httpx
import pytest

from workers.outbound.httpx_client import errors_of_httpx

WITHIN_HTTPCORE = {httpcore.ConnectionNotAvailable}
"""It handles these itself."""

ERRORS = [
    each
    for each in vars(httpcore).values()
    if isinstance(each, type) and issubclass(each, Exception) and each not in WITHIN_HTTPCORE
]


def test_there_are_errors_to_look_at() -> None:
    assert len(ERRORS) >= 14


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_of_httpcore_is_the_one_of_httpx_of_its_kind(error: type[Exception]) -> None:
    with pytest.raises(httpx.TransportError) as raised, errors_of_httpx():
        raise error
    assert issubclass(getattr(httpx, error.__name__), type(raised.value))


@pytest.mark.parametrize("error", [httpcore.ConnectTimeout, httpcore.ReadTimeout, httpcore.WriteTimeout])
def test_a_timeout_is_a_timeout(error: type[Exception]) -> None:
    with pytest.raises(httpx.TimeoutException), errors_of_httpx():
        raise error

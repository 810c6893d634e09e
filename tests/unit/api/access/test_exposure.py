import pytest

from api.access.exposure import check_exposure
from shared.config import load_settings
from shared.errors import ConfigurationError


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_this_machine_may_ask_without_a_key(address: str) -> None:
    check_exposure(load_settings({"LISTEN_ADDRESS": address}))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.1", "8.8.8.8"])  # noqa: S104  nothing listens there
def test_an_open_address_without_keys_is_refused_with_what_to_do(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"LISTEN_ADDRESS.*AUTH=on.*askonce keys create.*ALLOW_ANONYMOUS"):
        check_exposure(load_settings({"LISTEN_ADDRESS": address}))


@pytest.mark.parametrize("setting", [{"AUTH": "on"}, {"ALLOW_ANONYMOUS": "true"}])
def test_keys_or_a_clear_word_open_it(setting: dict[str, str]) -> None:
    check_exposure(load_settings({"LISTEN_ADDRESS": "0.0.0.0", **setting}))  # noqa: S104  as above

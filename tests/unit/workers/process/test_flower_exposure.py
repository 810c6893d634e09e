import pytest

from shared.config import load_settings
from shared.errors import ConfigurationError
from workers.process.flower_exposure import check_flower_exposure

OPEN = "0.0.0.0"  # noqa: S104  nothing listens there


@pytest.mark.parametrize(
    "allowed", [{"FLOWER_ADDRESS": "::1"}, {"FLOWER_ADDRESS": OPEN, "FLOWER_BASIC_AUTH": "name:hunter2"}]
)
def test_this_machine_needs_no_password_and_others_one(allowed: dict[str, str]) -> None:
    check_flower_exposure(load_settings(allowed))


def test_an_open_address_without_a_password_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"FLOWER_BASIC_AUTH: must be name:password.*FLOWER_ADDRESS=127.0.0.1"):
        check_flower_exposure(load_settings({"FLOWER_ADDRESS": OPEN}))

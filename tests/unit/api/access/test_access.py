import pytest

from api.access.access import Credentials, require
from api.access.errors import InsufficientScope
from shared.domain.request import SCOPES, Client


@pytest.mark.parametrize(
    ("authorization", "x_api_key", "key"),
    [
        ("Bearer ak_1", None, "ak_1"),
        ("bearer ak_1", None, "ak_1"),
        ("Bearer   ak_1 ", None, "ak_1"),
        (None, "ak_2", "ak_2"),
        ("Bearer ak_1", "ak_2", "ak_2"),
        ("Basic abc", "ak_2", "ak_2"),
        ("Basic abc", None, None),
        ("Bearer", None, ""),
        ("ak_1", None, None),
        (None, None, None),
    ],
)
def test_a_key_is_sent_in_one_of_two_headers(authorization: str | None, x_api_key: str | None, key: str | None) -> None:
    assert Credentials(authorization, x_api_key).key == key


@pytest.mark.parametrize("scope", SCOPES)
def test_an_admin_may_do_everything(scope: str) -> None:
    require(Client("a", "a", scopes=frozenset({"admin"})), scope)


@pytest.mark.parametrize("scope", SCOPES)
def test_one_scope_allows_nothing_else(scope: str) -> None:
    client = Client("a", "a", scopes=frozenset({scope}) - {"admin"})
    for other in set(SCOPES) - {scope}:
        with pytest.raises(InsufficientScope, match=other):
            require(client, other)

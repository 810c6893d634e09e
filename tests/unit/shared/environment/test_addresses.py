import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from shared.environment.addresses import database_url, host_port, host_ports, web_origins


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_write_postgresql_means_psycopg2(scheme: str) -> None:
    assert database_url(f"{scheme}://user:secret@host/name") == "postgresql+psycopg2://user:secret@host/name"


def test_what_neon_asks_for_stays_in_the_url() -> None:
    url = make_url(database_url("postgres://u:p@ep-x.neon.tech/db?sslmode=require&channel_binding=require"))
    assert url.query == {"sslmode": "require", "channel_binding": "require"}


@pytest.mark.parametrize("text", ["", "host/name", "mysql://host/name", "postgresql:host", "postgresql+asyncpg://h/n"])
def test_another_kind_of_database_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a URL that starts with"):
        database_url(text)


def test_several_hosts_are_separated_by_commas() -> None:
    assert host_ports("a:1, b:2,", None) == (("a", 1), ("b", 2))


def test_no_hosts_are_an_empty_list() -> None:
    assert host_ports("", None) == ()


def test_a_host_without_port_has_the_default() -> None:
    assert host_port("cache", 11211) == ("cache", 11211)


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert host_port("[::1]:80", None) == ("::1", 80)


def test_upper_case_does_not_matter() -> None:
    assert host_port("Cache.EXAMPLE:80", None) == ("cache.example", 80)


@pytest.mark.parametrize(
    "text", ["", "host", ":80", "host:0", "host:65536", "host:x", "host:-1", "user@host:1", "host:80/path", "::1:80"]
)
def test_what_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  urllib's own message for some of them
        host_port(text, None)


@pytest.mark.parametrize("text", ["host?x:80", "host#x:80", "two words:80", "host:80?x"])
def test_an_address_with_something_else_in_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  urllib's own message for some of them
        host_port(text, 11211)


@given(st.text(max_size=20))
def test_any_text_is_either_an_address_or_a_value_error(text: str) -> None:
    try:
        host, port = host_port(text, 11211)
    except ValueError:
        return
    assert host
    assert 0 < port < 65536


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://app.example", ("https://app.example",)),
        (" https://App.Example:443 , http://localhost:3000,", ("https://app.example", "http://localhost:3000")),
        ("http://[::1]:80,https://x:80", ("http://[::1]", "https://x:80")),
        ("chrome-extension://abcdefgh", ("chrome-extension://abcdefgh",)),
    ],
)
def test_origins_are_written_as_browsers_send_them(text: str, origins: tuple[str, ...]) -> None:
    assert web_origins(text) == origins


@pytest.mark.parametrize(
    "text",
    [
        *("null", "app.example", "https://app.example/", "https://app.example/path", "https://*.example", "https://"),
        *("https://a b", "https://user@app.example", "https://\u00e4.example", "https://a\nb", "https://a:port"),
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be origins such as https://app\.example"):
        web_origins(f"https://other.example,{text}")


def test_not_every_origin_can_be_named_at_once() -> None:
    with pytest.raises(ValueError, match="name the origins"):
        web_origins("*")

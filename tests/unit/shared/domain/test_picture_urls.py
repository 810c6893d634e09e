import ipaddress

import pytest
from AntiSSRF import IPAddressRanges
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.inputs import WrongValue
from shared.domain.picture_urls import NOT_PUBLIC, check_picture_url, is_public


def refused(url: str, allow: tuple[tuple[str, int], ...] = ()) -> bool:
    try:
        check_picture_url(url, allow)
    except WrongValue:
        return True
    return False


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/cat.png",
        "http://example.com:80/cat.png?size=1&b=%20#top",
        "HTTPS://EXAMPLE.COM:443/",
        "https://example.com",
        "https://bücher.example/größe.png",
        "https://8.8.8.8/a.png",
        "https://[2606:4700:4700::1111]/a.png",
        "https://localhost.example.com/a.png",
        "https://my_bucket.example.com/a|b.png",
    ],
)
def test_a_public_address_is_accepted(url: str) -> None:
    assert not refused(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7F000001", "0177.0.0.1", "2130706433", "0", "0.0.0.1",
        "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "168.63.129.16", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1]",
        "[fc00::1]", "[fec0::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001::1]", "localhost", "LOCALHOST",
        "localhost.", "a.localhost", "ip6-localhost", "127.0.0.1.",
        "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021",
        "127.0.0.\u00ad1", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    ],
)  # fmt: skip
def test_a_private_address_is_refused_in_every_spelling(host: str) -> None:
    assert refused(f"http://{host}/a.png")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.png",
        "file:///etc/passwd",
        "//example.com/a.png",
        "example.com/a.png",
        "javascript:alert(1)",
        "https:///a.png",
        "https://",
        "",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://@example.com/",
        "https://example.com:8080/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://exa mple.com/",
        "https://example.com/a b.png",
        "https://example.com/\n",
        " https://example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\u2028",
        "https://example.com/\ud800",
        "https://example.com/\x7f",
        "https://127.0.0.1%2f.example.com/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://[v1.x]/",
        "https://a..b/",
        f"https://{'a' * 64}.com/",
        f"https://example.com/{'a' * 2048}",
    ],
)
def test_an_unusable_url_is_refused(url: str) -> None:
    assert refused(url)


def test_an_allowed_host_and_port_is_exempt() -> None:
    assert not refused("http://127.0.0.1:9000/cat.png", (("127.0.0.1", 9000),))


@pytest.mark.parametrize("host", ["straße.example", "\uff53trasse.example", "strasse\u3002example"])
def test_a_host_is_exempt_only_as_it_is_allowed_and_not_if_it_must_be_translated_first(host: str) -> None:
    assert refused(f"http://{host}:8080/cat.png", (("strasse.example", 8080),))


def test_an_allowed_ipv6_address_is_exempt() -> None:
    assert not refused("http://[::1]:9000/cat.png", (("::1", 9000),))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9001/", "http://127.0.0.1/", "ftp://127.0.0.1:9000/"])
def test_the_exemption_holds_for_that_port_and_for_http_only(url: str) -> None:
    assert refused(url, (("127.0.0.1", 9000),))


def test_the_message_says_what_is_wrong() -> None:
    with pytest.raises(WrongValue, match="must use port 80 or 443"):
        check_picture_url("https://example.com:22/", ())


@pytest.mark.parametrize("network", IPAddressRanges.recommended_latest)
def test_whatever_the_download_denies_is_refused_at_the_door(network: str) -> None:
    assert not is_public(ipaddress.ip_network(network)[0])


@given(st.sampled_from(NOT_PUBLIC), st.data())
def test_no_address_of_a_special_range_is_public(network: str, data: st.DataObject) -> None:
    addresses = ipaddress.ip_network(network)
    offset = data.draw(st.integers(0, addresses.num_addresses - 1))
    address = addresses[offset]
    host = f"[{address}]" if address.version == 6 else data.draw(st.sampled_from([str(address), str(int(address))]))
    assert refused(f"http://{host}/")


@given(st.text(max_size=60))
def test_any_text_is_either_accepted_or_refused(text: str) -> None:
    refused(text)
    refused(f"http://{text}/")

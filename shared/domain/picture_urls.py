"""Checks of a picture's URL that need no DNS lookup. The download (`workers/outbound/download.py`) checks the rest."""

import ipaddress
import re
import socket
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from shared.domain.inputs import WrongValue

MAX_CHARS = 2048
PORTS = {"http": 80, "https": 443}

_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_FORBIDDEN_CHARS = frozenset('\\<>"^`{|}')
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+", re.ASCII)
_IPV4_DIGITS = frozenset("0123456789abcdefx.")

# IANA's special-purpose registries, and multicast. `ipaddress.is_global` differs between Python versions.
# https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    # Azure's wire server, which only virtual machines in Azure can reach.
    "168.63.129.16/32",
    # ::/96 and ::ffff:0:0:0/96 are obsolete notations of IPv4 addresses.
    *("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23"),
    *("2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10"),
    *("fec0::/10", "ff00::/8"),
)


def check_picture_url(url: str, allow: Collection[tuple[str, int]]) -> None:
    """Raise WrongValue unless `url` may be the public address of a picture.

    It must use http or https and port 80 or 443, have no user name and no password, and at most 2048 characters
    without blanks or control characters. Its host must not be a private address, however that is spelled. A host and
    port in `allow` are exempt from the rules on addresses and ports. Names are not looked up.
    """
    _check_characters(url)
    parts = _split(url)
    if parts.scheme not in PORTS:
        message = "must be an http or https URL"
        raise WrongValue(message)
    if "@" in parts.netloc:
        message = "must not hold a user name or password"
        raise WrongValue(message)
    host, port = host_and_port(parts)
    if is_exempt(parts, allow):
        return
    if port not in PORTS.values():
        message = "must use port 80 or 443"
        raise WrongValue(message)
    if _is_local(host):
        message = "must be a public address"
        raise WrongValue(message)


def is_exempt(parts: SplitResult, allow: Collection[tuple[str, int]]) -> bool:
    """Return whether the rules on addresses and ports don't apply, because `allow` has this host and port.

    A host that is not written in ASCII is never exempt. HTTP clients translate it by newer rules than `host_and_port`:
    of `straße` they make another name than `strasse`, which may belong to somebody else.
    """
    return parts.netloc.isascii() and host_and_port(parts) in allow


def host_and_port(parts: SplitResult) -> tuple[str, int]:
    """Return the host in the ASCII form that DNS looks up, and the port; raise WrongValue if either is not valid.

    `parts` must have the scheme http or https.
    """
    try:
        port = PORTS[parts.scheme] if parts.port is None else parts.port
        host = _ascii(parts)
    except (UnicodeError, ValueError) as err:
        message = "must have a valid host and port"
        raise WrongValue(message) from err
    if not _HOST.fullmatch(host):
        message = "must have a valid host and port"
        raise WrongValue(message)
    return host, port


def _check_characters(url: str) -> None:
    if len(url) > MAX_CHARS:
        message = f"must have at most {MAX_CHARS} characters"
        raise WrongValue(message)
    # `isprintable` is false for control characters, lone surrogates and every blank but the space. Some parsers read a
    # backslash as a slash and others do not, so that they find different hosts in the same URL.
    if not url.isprintable() or " " in url or "\\" in url:
        message = "must not contain blanks, control characters or backslashes"
        raise WrongValue(message)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as err:
        message = "must be a valid URL"
        raise WrongValue(message) from err


def _ascii(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if "[" in parts.netloc:
        ipaddress.IPv6Address(host)
        return host
    # IDNA turns full-width digits and dots into plain ones, as the HTTP client does later.
    return host.encode("idna").decode("ascii").lower().rstrip(".")


def _is_local(host: str) -> bool:
    if host in _LOCAL_NAMES or host.endswith(".localhost"):
        return True
    address = _literal_address(host)
    return address is not None and not is_public(address)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether the address is in none of the NOT_PUBLIC ranges. An IPv4-mapped IPv6 address counts as IPv4."""
    plain = getattr(address, "ipv4_mapped", None) or address
    return not any(plain in ipaddress.ip_network(network) for network in NOT_PUBLIC)


def _literal_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if ":" in host:
        return ipaddress.IPv6Address(host)
    if not _IPV4_DIGITS.issuperset(host):
        return None
    try:
        # `inet_aton` reads 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 as the system does when it connects.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None

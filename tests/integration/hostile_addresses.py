"""Addresses of pictures by which somebody may try to reach what is not public, each with what it tries, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

FORBIDDEN, UNREACHABLE = "image_forbidden", "image_unreachable"

NAMES = {
    "pictures.example": [["8.8.8.8"]],
    "silent.example": [["8.8.4.4"]],
    "plain.example": [["9.9.9.9"]],
    "localhost": [["127.0.0.1", "::1"]],
    "127.0.0.1.nip.example": [["127.0.0.1"]],
    "7f000001.nip.example": [["127.0.0.1"]],
    "loopback6.example": [["::1"]],
    "internal.example": [["10.0.0.7"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "both.example": [["8.8.8.8", "127.0.0.1"]],
    "both6.example": [["8.8.8.8", "::1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "nat64.example": [["64:ff9b::a9fe:a9fe"]],
    "6to4.example": [["2002:7f00:1::"]],
    "zone.example": [["fe80::1%1"]],
    "redis": [["172.17.0.3"]],
    "rebinding.example": [["8.8.8.8"], ["127.0.0.1"]],
    "unanswered.example": [[]],
}
"""What the name server of the tests says to each question for a name, in turn."""


@dataclass(frozen=True)
class Hostile:
    """An address. `at_the_door`: whether the API refuses it without a lookup. `code`: of the job that asks for it.

    `redirected`: the code of a job whose picture redirects there; empty if a header can't say this address, or if
    versions of Python read it differently.
    """

    url: str
    at_the_door: bool = True
    code: str = FORBIDDEN
    redirected: str = FORBIDDEN


def _hosts(hosts: Mapping[str, str]) -> dict[str, Hostile]:
    return {words: Hostile(f"http://{host}/cat.png") for words, host in hosts.items()}


def _resolved(hosts: Mapping[str, str]) -> dict[str, Hostile]:
    return {words: Hostile(f"http://{host}/cat.png", at_the_door=False) for words, host in hosts.items()}


LOOPBACK = {
    "loopback": "127.0.0.1",
    "another loopback address": "127.0.0.2",
    "loopback as one decimal number": "2130706433",
    "loopback as one hexadecimal number": "0x7f000001",
    "loopback as one hexadecimal number in capitals": "0X7F000001",
    "loopback as one octal number": "017700000001",
    "loopback in octal parts": "0177.0.0.01",
    "loopback in hexadecimal parts": "0x7f.0x0.0x0.0x1",
    "loopback in parts of three bases": "0x7f.0.01",
    "loopback in two parts": "127.1",
    "loopback in octal parts with many zeros": "0000000177.000.000.001",
    "loopback with a dot at its end": "127.0.0.1.",
    "loopback in full-width digits": "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "loopback in circled digits": "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "loopback with ideographic full stops": "127\u30020\u30020\u30021",
    "loopback with half-width full stops": "127\uff610\uff610\uff611",
    "loopback in mathematical digits": "\U0001d7cf\U0001d7d0\U0001d7d5.\U0001d7ce.\U0001d7ce.\U0001d7cf",
    "the zero address": "0.0.0.0",  # noqa: S104  nothing is bound
    "the zero address as one digit": "0",
    "loopback of IPv6": "[::1]",
    "loopback of IPv6 at full length": "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "the zero address of IPv6": "[::]",
    "loopback in an IPv4-mapped address": "[::ffff:127.0.0.1]",
    "loopback in an IPv4-mapped address, in hexadecimal": "[::ffff:7f00:1]",
    "loopback in an IPv4-compatible address": "[::127.0.0.1]",
    "loopback in an IPv4-translated address": "[::ffff:0:127.0.0.1]",
    "loopback in a NAT64 address": "[64:ff9b::127.0.0.1]",
    "loopback in a local NAT64 address": "[64:ff9b:1::7f00:1]",
    "loopback in a 6to4 address": "[2002:7f00:1::]",
    "loopback in a Teredo address": "[2001:0:808:808:0:0:80ff:fffe]",
    "loopback of IPv6 with a zone": "[::1%25lo]",
}

METADATA = {
    "metadata": "169.254.169.254",
    "metadata as one decimal number": "2852039166",
    "metadata as one hexadecimal number": "0xa9fea9fe",
    "metadata in octal parts": "0251.0376.0251.0376",
    "metadata in three parts": "169.254.43518",
    "metadata in an IPv4-mapped address": "[::ffff:a9fe:a9fe]",
    "metadata in a NAT64 address": "[64:ff9b::a9fe:a9fe]",
    "metadata in a 6to4 address": "[2002:a9fe:a9fe::]",
    "metadata of Amazon by IPv6": "[fd00:ec2::254]",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Oracle": "192.0.0.192",
    "the wire server of Azure": "168.63.129.16",
}

PRIVATE = {
    "a private address of class A": "10.0.0.1",
    "a private address of class B": "172.16.0.1",
    "a private address of class C": "192.168.0.1",
    "an address behind a carrier's NAT": "100.64.0.1",
    "an address for benchmarks": "198.18.0.1",
    "a multicast address": "224.0.0.1",
    "a reserved address": "240.0.0.1",
    "the broadcast address": "255.255.255.255",
    "a link-local address of IPv6": "[fe80::1]",
    "a link-local address of IPv6 with a zone": "[fe80::1%25eth0]",
    "a unique local address of IPv6": "[fc00::1]",
    "a site-local address of IPv6": "[fec0::1]",
    "a multicast address of IPv6": "[ff02::1]",
    "localhost": "localhost",
    "localhost in capitals": "LocalHost",
    "localhost with a dot at its end": "localhost.",
    "localhost in circled letters": "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    "localhost in full": "localhost.localdomain",
    "a name below localhost": "a.localhost",
    "the name that hosts files have for loopback of IPv6": "ip6-localhost",
}

BY_NAME = {
    "a name that contains loopback and resolves to it": "127.0.0.1.nip.example",
    "a name that contains loopback in hexadecimal": "7f000001.nip.example",
    "a name that resolves to loopback of IPv6": "loopback6.example",
    "a name that resolves to a private address": "internal.example",
    "a name that resolves to a private address, in capitals, with a dot at its end": "INTERNAL.example.",
    "the name that Google has for metadata": "metadata.google.internal",
    "a name with a public and a loopback address": "both.example",
    "a name with a public address and loopback of IPv6": "both6.example",
    "a name with an IPv4-mapped address": "mapped.example",
    "a name with metadata in a NAT64 address": "nat64.example",
    "a name with loopback in a 6to4 address": "6to4.example",
    "a name with a link-local address and its zone": "zone.example",
    "the name of a service beside us": "redis",
}

SYNTAX = {
    "a user name before a private address": "http://user@127.0.0.1/cat.png",
    "a user name and password": "http://user:secret@pictures.example/cat.png",
    "a public host as the user name of a private one": "http://pictures.example@127.0.0.1/cat.png",
    "a public host and port as user name and password": "http://pictures.example:80@127.0.0.1/cat.png",
    "two user names": "http://a@pictures.example@127.0.0.1/cat.png",
    "a private host before a fragment that looks like another": "http://127.0.0.1#@pictures.example/cat.png",
    "a private host before a query that looks like another": "http://127.0.0.1?@pictures.example/cat.png",
    "a backslash between two hosts": "http://pictures.example\\@127.0.0.1/cat.png",
    "a private host before a backslash": "http://127.0.0.1\\@pictures.example/cat.png",
    "backslashes instead of slashes": "http:\\\\127.0.0.1\\cat.png",
    "a tab within a private host": "http://127.0.\t0.1/cat.png",
    "a tab within the scheme": "ht\ttp://127.0.0.1/cat.png",
    "a blank before the host": "http:// 127.0.0.1/cat.png",
    "a blank after the host": "http://127.0.0.1 /cat.png",
    "a soft hyphen within a private host": "http://127.0.0\u00ad.1/cat.png",
    "a private host in percent-encoding": "http://%31%32%37.0.0.1/cat.png",
    "a NUL in percent-encoding after a private host": "http://127.0.0.1%00.pictures.example/cat.png",
    "two dots at the end of a private host": "http://127.0.0.1../cat.png",
    "a label that is too long": f"http://{'a' * 64}.example/cat.png",
    "a URL that is too long": f"http://pictures.example/{'a' * 2048}",
    "the port of SSH": "http://pictures.example:22/cat.png",
    "the port of Redis": "http://127.0.0.1:6379/cat.png",
    "port 0": "http://pictures.example:0/cat.png",
    "a port beyond the last": "http://pictures.example:65616/cat.png",
    "a negative port": "http://pictures.example:-80/cat.png",
    "a port in Arabic digits": "http://pictures.example:\u0668\u0660/cat.png",
    "two ports": "http://pictures.example:80:80/cat.png",
    "the scheme of files": "file:///etc/passwd",
    "the scheme of files with a host": "file://localhost/etc/passwd",
    "the scheme of FTP": "ftp://pictures.example/cat.png",
    "the scheme of gopher, which speaks to anything": "gopher://127.0.0.1:6379/_FLUSHALL",
    "the scheme of dictionaries": "dict://127.0.0.1:11211/stats",
    "the scheme of LDAP": "ldap://127.0.0.1/cat.png",
    "the scheme of Unix sockets": "unix:///var/run/docker.sock",
    "the scheme of HTTP over Unix sockets": "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "a jar around an address": "jar:http://127.0.0.1!/cat.png",
    "the scheme of scripts": "javascript:alert(1)",
    "a scheme in mixed case before a private host": "hTTp://127.0.0.1/cat.png",
    "https before a private host": "https://127.0.0.1/cat.png",
}

ADDRESSES: Mapping[str, Hostile] = {
    **_hosts(LOOPBACK | METADATA | PRIVATE),
    **_resolved(BY_NAME),
    **{words: Hostile(url) for words, url in SYNTAX.items()},
    # A public name whose server says 404: what is private lies behind the second answer of its name server.
    "a name that resolves to loopback the second time": Hostile(
        "http://rebinding.example/404", at_the_door=False, code=UNREACHABLE, redirected=UNREACHABLE
    ),
    # urljoin takes the host from the address that redirects, which is a public one.
    "three slashes before a private host": Hostile("http:///127.0.0.1/cat.png", redirected=UNREACHABLE),
    "no slashes before a private host": Hostile("http:127.0.0.1/cat.png", redirected=UNREACHABLE),
    "a private host without a scheme": Hostile("//127.0.0.1/cat.png"),
    "a private host in brackets": Hostile("http://[127.0.0.1]/cat.png", redirected=UNREACHABLE),
    "a name after an address in brackets": Hostile("http://[::1]pictures.example/cat.png", redirected=""),
    "a bracket that is not closed": Hostile("http://[::1/cat.png", redirected=UNREACHABLE),
    "a newline within a private host": Hostile("http://127.0.\n0.1/cat.png", redirected=""),
    "a new header within the path": Hostile("http://pictures.example/\r\nHost: 127.0.0.1", redirected=""),
}

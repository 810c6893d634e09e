"""What a server could say that is no HTTP, hardly HTTP, or HTTP with a trap in it; the same each time."""

import gzip
import random
import zlib
from collections.abc import Iterator

STATUS_LINES = (
    *(b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.0 200 OK", b"HTTP/2 200", b"HTTP/1.1 999999 X", b"HTTP/1.1 -1 X"),
    *(b"HTTP/1.1 302 F", b"HTTP/1.1 301 F", b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 Up", b"HTTP/1.1 204 N"),
    *(b"HTTP/1.1 304 N", b"HTTP/1.1 401 U", b"HTTP/1.1 429 T", b"HTTP/1.1 500 E", b"HTTP/1.1 2\xb2 OK", b""),
    *(b"ICY 200 OK", b"HTTP/1.1 200 \xff\xfe", b"\x16\x03\x01\x02\x00"),
)

HEADERS = (
    *(b"Content-Length: " + value for value in (b"5", b"-5", b"+5", b"0x5", b"5_0", b"5, 6", b"\xb2", b"1e3")),
    *(b"Transfer-Encoding: " + value for value in (b"chunked", b"gzip, chunked", b"chunked, chunked", b"identity")),
    *(b"Content-Encoding: " + value for value in (b"gzip", b"deflate", b"br", b"zstd", b"gzip, " * 7, b"\xff")),
    *(b"Location: " + value for value in (b"//", b"http://[::1", b"http://\xff\xfe/", b"http://a:99999999/", b"\x00")),
    *(b"Location: " + value for value in (b"http://a:b/", b"http://a..b/", b"http:///x", b"\\\\x\\y", b"mailto:x")),
    *(b"Location: " + value for value in (b"http://" + b"a" * 300 + b"/", b"http://xn--\xc3/", b"http://%00/")),
    *(b"Set-Cookie: " + value for value in (b"\xff=\xff", b"=; domain=; path=;;; version=zz", b"a=b; max-age=9e99")),
    *(b"Retry-After: " + value for value in (b"9e999", b"\xb2", b"-1", b"Wed, 99 Foo 99999 99:99:99 GMT")),
    *(b"Content-Type: x; charset=" + value for value in (b"utf-7", b"\xff", b"idna", b"hex", b"unicode_escape")),
    *(b"x-ratelimit-reset-requests: 9e999h", b"x-ratelimit-remaining-requests: 0", b"retry-after-ms: nan"),
    *(b"no header", b": empty", b" folded", b"X: \r\n\r\nY", b"X: \x00", b"X:" + b"y" * 70_000, b"Connection: \xff"),
)

BODIES = (
    *(b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"f" * 20 + b"\r\nhello", b"\r\n"),
    *(b"+5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5;x=\xff\r\nhello\r\n0\r\nT: x\r\n\r\n", b"-0\r\n"),
    *(gzip.compress(b"{}"), gzip.compress(b"{}")[:-4], gzip.compress(b"[]") + b"x", zlib.compress(b"{}")),
    *(b"[" * 100_000, b'{"error":' * 100_000, b"1" * 100_000, b"NaN", b"\xff\xfe{\x00}\x00", b'"\\ud800"', b"hello"),
    *(b'{"error":{"message":"x","code":1e999}}', b'[{"label":"x","score":1e999}]', b'[{"label":"x","score":NaN}]'),
)


def hostile_answers(number: int) -> Iterator[bytes]:
    """Yield so many answers, made of the above by chance, some damaged."""
    chance = random.Random(5)
    for _ in range(number):
        body = chance.choice(BODIES)
        length = b"Content-Length: %d" % len(body)
        framing = chance.choice(((length,), (b"Transfer-Encoding: chunked",), ()))
        status = chance.choice((STATUS_LINES[0], chance.choice(STATUS_LINES)))
        said = b"\r\n".join((status, *framing, *chance.sample(HEADERS, chance.randrange(4)))) + b"\r\n\r\n" + body
        if chance.random() < 0.15:
            at = chance.randrange(len(said))
            said = said[:at] + chance.randbytes(1) + said[at + 1 :]
        yield said[: chance.randrange(len(said))] if chance.random() < 0.1 else said

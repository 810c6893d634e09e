"""What one client can do to us: `python -m tests.siege.attacks NAME URL SIMULATOR SECONDS NUMBER`.

A process of its own, so that it does not slow down who watches.
"""

import base64
import json
import os
import random
import struct
import sys
import threading
import time
import zlib
from contextlib import suppress

import requests

from tests.siege.wire import PREDICT, Attack, Target, head, say, whole

CROWD = 400
TEXT = "sentiment"


def trickle(target: Target) -> None:
    """Bodies that come a byte a second."""
    _drip(target, head("Content-Type: application/json", "Content-Length: 1000") + b"{", b" ")


def slow_heads(target: Target) -> None:
    """Heads that never end."""
    _drip(target, b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nX-", b"x")


def _drip(target: Target, beginning: bytes, more: bytes) -> None:
    with target.crowd(CROWD, lambda _: beginning) as crowd:
        while target.goes_on:
            time.sleep(1)
            for connection in crowd:
                with suppress(OSError):
                    connection.sendall(more)


def idle(target: Target) -> None:
    """Connections that say nothing."""
    with target.crowd(2 * CROWD, lambda _: b""):
        time.sleep(target.seconds_left)


def wait_in_crowds(target: Target) -> None:
    """Waiters for jobs, some of whom go away."""

    def asks(_: int) -> bytes:
        return whole(json.dumps({"task_type": TEXT, "input": target.new_text()}).encode(), "Prefer: wait=60")

    while target.goes_on:
        with target.crowd(CROWD // 2, asks):
            time.sleep(min(3.0, target.seconds_left))


def do_not_read(target: Target) -> None:
    """Large responses that are asked for and not read."""
    paths = ("/docs/assets/swagger-ui-bundle.js", "/openapi.json", "/api/v1/jobs?limit=100")
    with target.crowd(CROWD, lambda number: head(method="GET", path=paths[number % len(paths)]) * 8):
        time.sleep(target.seconds_left)


def speak_http_2(target: Target) -> None:
    """Prior-knowledge HTTP/2, with streams that carry no bodies."""
    frame = struct.pack(">I", 0)[1:] + b"\4\0" + struct.pack(">I", 0)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame
    while target.goes_on:
        say(target, preface + bytes(9) * 140, 1.0)


def garble(target: Target) -> None:
    """Bytes that are no HTTP, or nearly."""
    chance = random.Random(target.number)
    request = whole(b'{"task_type":"sentiment","input":"garbled"}')
    while target.goes_on:
        broken = bytearray(request)
        for _ in range(chance.randint(1, 12)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        say(target, bytes(broken), 0.2)


def unknown_fields(target: Target) -> None:
    """A million fields that nobody knows."""
    fields = ",".join(f'"{number}":0' for number in range(1_000_000))
    body = f'{{"task_type":"sentiment","input":"x",{fields}}}'.encode()
    while target.goes_on:
        say(target, whole(body))


def nest(target: Target) -> None:
    """JSON that is deep, or wide, or has numbers of many digits."""
    bodies = (b"[" * 200_000, b'{"a":' * 50_000, b"[" + b"[]," * 300_000 + b"[]]", b"9" * 1_000_000)
    while target.goes_on:
        for body in bodies:
            say(target, whole(b'{"task_type":"sentiment","input":' + body + b"}"))


def forms(target: Target) -> None:
    """Forms of many parts, and parts with large heads."""
    many = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % number for number in range(50_000)
    )
    large = b'--x\r\nContent-Disposition: form-data; name="' + b"a" * 5_000_000 + b'"\r\n\r\n1\r\n'
    while target.goes_on:
        for parts in (many, large):
            say(target, whole(parts + b"--x--\r\n", media_type="multipart/form-data; boundary=x"))


def upload(target: Target) -> None:
    """Pictures of ten megabytes."""
    while target.goes_on:
        _send_picture(target, _png(9_900_000, random.Random(target.new_text()).randbytes(8)))


def eat_pictures(target: Target) -> None:
    """Files that take a decoder long, or all memory."""
    kinds = (
        b"\xff\xd8\xff" + b"\xff" * 2_000_000 + b"\xd9",
        b"\xff\xd8" + b"\xff\xfe\0\2" * 400_000 + b"\xff\xd9",
        _png(0, b"", chunks=200_000),
        b"\x89PNG\r\n\x1a\n" + b"not a picture",
        b"GIF89a" + b"\xff\xff\xff\xff\0\0\0" + b"\x21\xf9\4\0\0\0\0\0" * 100_000 + b";",
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\0" * 100_000,
    )
    while target.goes_on:
        for content in kinds:
            _send_picture(target, content)


def fetch_oddities(target: Target) -> None:
    """Picture addresses whose server misbehaves, or that are none."""
    names = ("cat.png", "broken.png", "text.png", "icon.svg", "bomb.png", "large.bin?chunked", "slow.png", "loop")
    urls = [f"{target.pictures}/pictures/{name}" for name in names]
    urls += [
        "http://127.1/x.png",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest",
        "http://no.such.host/a",
    ]
    while target.goes_on:
        for url in urls:
            body = {"task_type": "image_classification", "input": url}
            with suppress(requests.RequestException):
                requests.post(target.url + PREDICT, json=body, timeout=10)


def flood(target: Target) -> None:
    """New questions as fast as they go."""
    with requests.Session() as session:
        while target.goes_on:
            with suppress(requests.RequestException):
                session.post(target.url + PREDICT, json={"task_type": TEXT, "input": target.new_text()}, timeout=30)


def pester(target: Target) -> None:
    """Everything else that costs something, again and again."""
    calls = (
        ("GET", "/api/v1/health"),
        ("GET", "/api/v1/statistics?days=365&bucket=hour"),
        ("GET", "/api/v1/requests?limit=100&outcome=error"),
        ("GET", "/api/v1/jobs?limit=100&status=completed"),
        ("DELETE", "/api/v1/cache?task_type=translation"),
        ("DELETE", f"/api/v1/cache/{'0' * 64}"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/jobs/" + "x" * 5000),
        ("GET", "/api/v1/requests?client=" + "%F0%9F%92%A9" * 40),
        ("POST", "/api/v1/jobs/00000000-0000-7000-8000-000000000000/cancel"),
    )
    with requests.Session() as session:
        while target.goes_on:
            for method, path in calls:
                with suppress(requests.RequestException):
                    session.request(method, target.url + path, timeout=30)


def _png(size: int, salt: bytes, chunks: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"tEXt", b"") * chunks
        + chunk(b"IDAT", salt + bytes(size))
        + chunk(b"IEND", b"")
    )


def _send_picture(target: Target, content: bytes) -> None:
    url = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    say(target, whole(json.dumps({"task_type": "image_classification", "input": url}).encode()))


ATTACKS: tuple[Attack, ...] = (
    *(trickle, slow_heads, idle, wait_in_crowds, do_not_read, speak_http_2, garble, unknown_fields, nest, forms),
    *(upload, eat_pictures, fetch_oddities, flood, pester),
)
THREADS = 4
NICENESS = 10
"""The niceness of the attackers' process.

They stand for other machines, so they get only the processor time that the stack and its honest clients leave.
"""


def main(name: str, url: str, pictures: str, seconds: str, number: str) -> None:
    """Attack from a few threads at once, and end for certain."""
    os.nice(NICENESS)
    attack = next(each for each in ATTACKS if each.__name__ == name)
    targets = [Target(url, pictures, float(seconds), int(number) + each) for each in range(THREADS)]
    threads = [threading.Thread(target=attack, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * float(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])

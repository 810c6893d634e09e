import gzip
import logging
import socket
from collections.abc import Callable
from io import BytesIO
from time import monotonic

import pytest
from PIL import Image

from shared.config import Settings, load_settings
from shared.domain.pictures import check_structure
from shared.jobs.errors import ImageForbidden, ImageTooLarge, ImageUnreachable, ImageUnsupported, PictureError
from tests.integration.raw_server import RawServer, Respond, answer, head, raw_server
from workers.outbound.deadline import GRACE_SECONDS
from workers.outbound.download import MAX_REDIRECTS, ImageTemporarilyUnreachable
from workers.pictures.input import fetch_picture

SECONDS = 0.5
PLENTY_OF_SECONDS = 20.0
MARGIN = GRACE_SECONDS + 2


def png() -> bytes:
    content = BytesIO()
    Image.new("RGB", (40, 30), "red").save(content, "PNG")
    return content.getvalue()


def allowing(*servers: RawServer, max_bytes: int = 100_000, seconds: float = PLENTY_OF_SECONDS) -> Settings:
    return load_settings(
        {
            "IMAGE_URL_ALLOW": ",".join(f"127.0.0.1:{server.port}" for server in servers),
            "IMAGE_DOWNLOAD_TIMEOUT_SECONDS": str(seconds),
            "MAX_IMAGE_BYTES": str(max_bytes),
        },
    )


def error_from(respond: Respond, max_bytes: int = 100_000, seconds: float = PLENTY_OF_SECONDS) -> PictureError:
    with raw_server(respond) as server:
        return error_at(f"{server.url}/cat.png", allowing(server, max_bytes=max_bytes, seconds=seconds))


def error_at(url: str, settings: Settings) -> PictureError:
    with pytest.raises(PictureError) as caught:
        fetch_picture(url, settings)
    return caught.value


def redirect(location: str, status: str = "302 Found", body: bytes = b"") -> Respond:
    return answer(body, status, f"Location: {location}\r\n")


def test_a_picture_is_fetched_from_an_allowed_address() -> None:
    with raw_server(answer(png(), headers="Content-Type: text/plain\r\n")) as server:
        fetched = fetch_picture(f"{server.url}/cat.png?size=1", allowing(server))
    assert (fetched.content, fetched.media_type) == (png(), "image/png")
    check_structure(fetched, max_pixels=1200)


def test_the_request_tells_little_about_us() -> None:
    with raw_server(answer(png())) as server:
        fetch_picture(f"{server.url}/cat.png?size=1", allowing(server))
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /cat.png?size=1 HTTP/1.1"
    names = {line.partition(":")[0] for line in lines[1:] if line}
    assert names == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png",
        "http://127.0.0.1:{port}/a.png",
        "http://localhost/a.png",
        "http://2130706433/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://user:pass@example.com/a.png",
        "ftp://example.com/a.png",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_public_is_forbidden(url: str) -> None:
    with raw_server(answer(png())) as server:
        error = error_at(url.format(port=server.port), allowing())
    assert type(error) is ImageForbidden
    assert server.accepted == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "::7f00:1"])
def test_a_public_name_with_a_private_address_is_forbidden(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "8.8.8.8", address)
    assert type(error_at("http://pictures.example/a.png", allowing())) is ImageForbidden


def test_a_name_that_translates_to_an_allowed_one_is_not_exempt(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "127.0.0.1")
    allowed = load_settings({"IMAGE_URL_ALLOW": "strasse.example:80"})
    assert type(error_at("http://straße.example/a.png", allowed)) is ImageForbidden


def test_the_address_that_was_checked_is_the_one_that_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def lookup(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = ("8.8.8.8", 0) if host == "pictures.example" else ("127.0.0.1", server.port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", found)]

    with raw_server(answer(png())) as server:
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        fetched = fetch_picture("http://pictures.example/cat.png", allowing())
    assert fetched.content == png()
    assert asked == ["pictures.example", "8.8.8.8"]
    assert b"\r\nHost: pictures.example\r\n" in server.requests[0]
    assert b"X-Forwarded-For" not in server.requests[0]


def test_a_name_that_does_not_resolve_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", failing(socket.gaierror(socket.EAI_NONAME, "unknown")))
    assert type(error_at("http://pictures.example/a.png", allowing())) is ImageUnreachable


def test_a_resolver_in_trouble_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", failing(socket.gaierror(socket.EAI_AGAIN, "later")))
    assert error_at("http://pictures.example/a.png", allowing()).retryable


def pretend(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)


def failing(err: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise err

    return fail


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed(status: str) -> None:
    with raw_server(answer(png())) as target, raw_server(redirect(f"{target.url}/b.png", status)) as server:
        assert fetch_picture(f"{server.url}/a.png", allowing(server, target)).content == png()


def test_a_relative_redirect_stays_with_its_server() -> None:
    def respond(_: RawServer, connection: socket.socket, request: bytes) -> None:
        moved = head(0, "302 Found", "Location: ../größe.png\r\n").decode().encode()
        connection.sendall(moved if b"GET /pictures/a.png" in request else head(len(png())) + png())

    with raw_server(respond) as server:
        assert fetch_picture(f"{server.url}/pictures/a.png", allowing(server)).content == png()
    assert server.requests[1].startswith(b"GET /gr%C3%B6%C3%9Fe.png ")


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/b.png",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "ftp://example.com/b.png",
        "//user@example.com/b.png",
        "http://example.com:22/b.png",
    ],
)
def test_a_redirect_to_what_is_no_public_address_is_forbidden(location: str) -> None:
    assert type(error_from(redirect(location))) is ImageForbidden


def test_a_redirect_to_another_port_of_an_allowed_host_is_forbidden() -> None:
    with raw_server(answer(png())) as target:
        assert type(error_from(redirect(f"{target.url}/b.png"))) is ImageForbidden
    assert target.accepted == 0


def test_redirects_end_somewhere() -> None:
    with raw_server(redirect("/again")) as server:
        assert type(error_at(f"{server.url}/a.png", allowing(server))) is ImageUnreachable
    assert len(server.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("headers", ["", "Location:\r\n", "Location: \r\n"])
def test_a_redirect_that_does_not_say_where_to_is_followed_nowhere(headers: str) -> None:
    with raw_server(answer(b"", "302 Found", headers)) as server:
        error = error_at(f"{server.url}/a.png", allowing(server))
    assert (type(error), len(server.requests)) == (ImageUnreachable, 1)


@pytest.mark.parametrize("location", ["http://[bad/", "http://"])
def test_a_redirect_to_nowhere_is_a_picture_error(location: str) -> None:
    assert error_from(redirect(location)).code in {"image_unreachable", "image_forbidden"}


def test_the_endless_body_of_a_redirect_is_not_read() -> None:
    def respond(server: RawServer, connection: socket.socket, request: bytes) -> None:
        if b"GET /b.png" in request:
            connection.sendall(head(len(png())) + png())
        else:
            connection.sendall(head(10**9, "302 Found", "Location: /b.png\r\n"))
            server.drip(connection, b"x")

    with raw_server(respond) as server:
        assert fetch_picture(f"{server.url}/a.png", allowing(server)).content == png()


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (403, False), (204, False), (429, True), (503, True)])
def test_a_status_that_brings_no_picture_makes_it_unreachable(status: int, retryable: bool) -> None:  # noqa: FBT001
    error = error_from(answer(b"", f"{status} So"))
    assert (error.code, error.retryable) == ("image_unreachable", retryable)


def test_a_body_over_the_limit_is_too_large_whatever_its_length_says() -> None:
    def respond(_: RawServer, connection: socket.socket, __: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _chunk in range(100):
            connection.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")

    assert type(error_from(respond)) is ImageTooLarge


def test_a_compressed_bomb_is_too_large() -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    assert len(bomb) < 100_000
    assert type(error_from(answer(bomb, headers="Content-Encoding: gzip\r\n"))) is ImageTooLarge


def test_a_picture_of_exactly_the_limit_is_fetched() -> None:
    with raw_server(answer(png())) as server:
        assert fetch_picture(server.url, allowing(server, max_bytes=len(png()))).content == png()


def test_what_is_no_picture_is_unsupported() -> None:
    assert type(error_from(answer(b"<html></html>", headers="Content-Type: image/png\r\n"))) is ImageUnsupported


def test_a_broken_encoding_is_unreachable() -> None:
    assert error_from(answer(b"no gzip", headers="Content-Encoding: gzip\r\n")).code == "image_unreachable"


def test_what_does_not_speak_http_is_unreachable() -> None:
    assert error_from(lambda _, connection, __: connection.sendall(b"220 smtp ready\r\n")).code == "image_unreachable"


def test_a_refused_connection_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = RawServer(listener.getsockname()[1])
    assert type(error_at(gone.url, allowing(gone))) is ImageTemporarilyUnreachable


@pytest.mark.parametrize("start", [b"", head(100_000), b"HTTP/1.1 200 OK\r\nX: y", head(9)[:-4] + b"\r\nX-Long: "])
def test_a_drip_is_cut_at_the_deadline(start: bytes) -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(start)
        server.drip(connection, b"z")

    began = monotonic()
    with raw_server(respond) as server:
        error = error_at(server.url, allowing(server, seconds=SECONDS))
        assert server.ended.wait(5), "the connection is still open"
    assert type(error) is ImageTemporarilyUnreachable
    assert monotonic() - began < SECONDS + MARGIN


def test_redirects_share_one_deadline() -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        server.stopping.wait(SECONDS * 0.4)
        connection.sendall(head(0, "302 Found", "Location: /again\r\n"))

    began = monotonic()
    assert error_from(respond, seconds=SECONDS).retryable
    assert monotonic() - began < SECONDS + MARGIN


def test_the_address_of_a_picture_is_in_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with raw_server(answer(png(), headers="no header at all\r\n")) as server:
        fetch_picture(f"{server.url}/private.png", allowing(server))
    assert "private" not in caplog.text


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with raw_server(answer(png())) as server:
        fetch_picture(server.url, allowing(server))

from typing import Any

import pytest
from flask import Request

from api.http.request_head import check_head
from shared.errors import (
    ContentEncodingNotSupported,
    HostNotAllowed,
    MalformedRequest,
    TransferEncodingNotSupported,
)


def a_request(**environ: Any) -> Request:
    return Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http", **environ})


def with_host(host: str) -> Request:
    return a_request(HTTP_HOST=host)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8000", "LOCALHOST", "localhost.", "api.localhost:80"),
        *("127.0.0.1", "127.0.0.1:8000", "127.1.2.3", "[::1]", "[::1]:8000"),
    ],
)
def test_the_names_of_this_machine_to_itself_are_allowed(host: str) -> None:
    check_head(with_host(host), ())


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "192.168.1.5", "[::]", "localhost.evil.example", "mylocalhost"],
)
def test_another_name_is_refused(host: str) -> None:
    with pytest.raises(HostNotAllowed, match="ALLOWED_HOSTS"):
        check_head(with_host(host), ("api",))


@pytest.mark.parametrize("host", ["api", "API:8000", "askonce.internal"])
def test_a_name_that_the_operator_allows_is_allowed(host: str) -> None:
    check_head(with_host(host), ("api", "askonce.internal"))


def test_a_star_allows_every_name() -> None:
    check_head(with_host("whatever.example"), ("*",))


@pytest.mark.parametrize(
    "host", ["", "localhost,localhost", "local host", "localhost:port", "user@localhost", "localhost/"]
)
def test_what_is_not_one_host_is_malformed(host: str) -> None:
    with pytest.raises(MalformedRequest):
        check_head(with_host(host), ("*",))


def test_without_a_host_a_request_is_malformed() -> None:
    with pytest.raises(MalformedRequest):
        check_head(a_request(), ("*",))


def test_a_chunked_body_is_fine() -> None:
    check_head(a_request(HTTP_HOST="localhost", HTTP_TRANSFER_ENCODING="Chunked"), ())


@pytest.mark.parametrize("coding", ["gzip, chunked", "identity", "chunked, chunked", ""])
def test_another_coding_of_the_body_is_refused(coding: str) -> None:
    with pytest.raises(TransferEncodingNotSupported):
        check_head(a_request(HTTP_HOST="localhost", HTTP_TRANSFER_ENCODING=coding), ())


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "identity, gzip", "gzip,gzip", "x"])
@pytest.mark.parametrize("body", [{"CONTENT_LENGTH": "5"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_compressed_body_is_refused(coding: str, body: dict[str, str]) -> None:
    with pytest.raises(ContentEncodingNotSupported, match="as it is"):
        check_head(a_request(HTTP_HOST="localhost", HTTP_CONTENT_ENCODING=coding, **body), ())


@pytest.mark.parametrize("coding", ["identity", "Identity", "", " identity , identity"])
def test_a_body_that_is_not_compressed_may_say_so(coding: str) -> None:
    check_head(a_request(HTTP_HOST="localhost", HTTP_CONTENT_ENCODING=coding, CONTENT_LENGTH="5"), ())


@pytest.mark.parametrize("body", [{}, {"CONTENT_LENGTH": "0"}, {"CONTENT_LENGTH": ""}])
def test_without_a_body_its_encoding_says_nothing(body: dict[str, str]) -> None:
    check_head(a_request(HTTP_HOST="localhost", HTTP_CONTENT_ENCODING="gzip", **body), ())

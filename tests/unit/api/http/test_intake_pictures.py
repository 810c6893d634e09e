import hashlib
from dataclasses import replace

import pytest
from examples import GIF, RULES, data_url, make_rules, multipart, problems_of, read

from api.http.intake import Rules, read_request
from shared.domain.request import ANONYMOUS, Picture, PictureUrl, Request
from shared.errors import InvalidRequest, RequestTooLarge

URL = "https://example.com/cat.png"
SMALL = replace(RULES, max_input_chars=10, max_image_bytes=len(GIF))


def classify(value: object, rules: Rules = RULES) -> Request:
    return read({"task_type": "image_classification", "input": value}, rules)


def upload(*parts: tuple[str, str | None, bytes], task: bytes = b"image_captioning", rules: Rules = RULES) -> Request:
    content_type, body = multipart(("task_type", None, task), *parts)
    return read_request(content_type, body, ANONYMOUS, rules)


def refused_picture(value: object) -> str:
    return problems_of(task_type="image_classification", input=value)["/input"]


def test_a_picture_may_be_a_url() -> None:
    assert classify(URL).input == PictureUrl(URL)


def test_a_url_is_kept_as_sent() -> None:
    assert classify("HTTPS://Example.com:443/A%20b#c").input == PictureUrl("HTTPS://Example.com:443/A%20b#c")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/a", "http://127.0.0.1/", "http://u@example.com/", "cat.png", "", 5, "\x00"]
)
def test_a_url_that_can_not_be_used_is_refused(url: object) -> None:
    assert refused_picture(url)


def test_an_exempt_address_is_accepted() -> None:
    rules = make_rules(SIMULATOR_URL="http://127.0.0.1:9", IMAGE_URL_ALLOW="127.0.0.1:9")
    assert classify("http://127.0.0.1:9/cat.png", rules).input == PictureUrl("http://127.0.0.1:9/cat.png")


def test_a_picture_may_be_a_data_url() -> None:
    assert classify(data_url()).input == Picture(hashlib.sha256(GIF).hexdigest(), "image/gif", GIF)


@pytest.mark.parametrize("head", ["DATA:image/gif;BASE64", "data:;base64", "data:image/png;charset=x;base64"])
def test_a_data_url_is_known_by_its_bytes_whatever_its_head_claims(head: str) -> None:
    assert classify(data_url(head=head)).input == classify(data_url()).input


def test_a_data_url_may_be_percent_encoded() -> None:
    assert classify(data_url().replace("=", "%3D").replace("+", "%2B")).input == classify(data_url()).input


@pytest.mark.parametrize(
    "url",
    [
        "data:",
        "data:image/gif",
        "data:image/gif,R0lGODlh",
        "data:;base64,?",
        "data:;base64,R0l=x",
        "data:;base64,\u00e9",
        "data:;base64,\ud800",
    ],
)
def test_a_data_url_that_can_not_be_read_is_refused(url: str) -> None:
    assert "base64" in refused_picture(url)


def test_a_data_url_without_bytes_is_refused() -> None:
    assert refused_picture("data:image/gif;base64,") == "must not be empty"


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"<svg/>", b"BM", b"\x00"])
def test_an_unsupported_picture_is_refused(content: bytes) -> None:
    assert "PNG, JPEG, WebP or GIF" in refused_picture(data_url(content))


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\nand so on", GIF[:-1], b"\xff\xd8\xff\xd9"])
def test_a_file_that_only_begins_like_a_picture_is_refused(content: bytes) -> None:
    assert "truncated" in refused_picture(data_url(content)) or "broken" in refused_picture(data_url(content))


def test_a_picture_of_more_pixels_than_allowed_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="/input: The picture has 1 x 1 pixels; at most 0 are accepted"):
        classify(data_url(), replace(RULES, max_image_pixels=0))


def test_a_picture_of_the_greatest_size_is_accepted() -> None:
    assert classify(data_url(), SMALL).input == classify(data_url()).input


def test_a_larger_picture_is_too_large() -> None:
    with pytest.raises(RequestTooLarge, match=f"at most {len(GIF)}"):
        classify(data_url(GIF + b"x"), SMALL)


def test_an_uploaded_picture_is_the_same_request_as_its_data_url() -> None:
    sent = read({"task_type": "image_captioning", "input": data_url(), "options": {"max_words": 9}})
    assert upload(("file", "cat.gif", GIF), ("options", None, b'{"max_words": 9}')) == sent


def test_a_form_without_a_file_may_name_a_url() -> None:
    assert upload(("input", None, URL.encode())).input == PictureUrl(URL)


def test_a_file_together_with_an_input_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="not both"):
        upload(("file", "cat.gif", GIF), ("input", None, URL.encode()))


def test_a_file_for_a_text_task_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="takes text, not a file"):
        upload(("file", "cat.gif", GIF), task=b"summarization")


@pytest.mark.parametrize(
    ("content", "detail"), [(b"", "/file: must not be empty"), (b"text", "/file: The picture is not")]
)
def test_a_file_that_is_no_picture_is_refused(content: bytes, detail: str) -> None:
    with pytest.raises(InvalidRequest, match=detail):
        upload(("file", "cat.gif", content))


def test_a_file_that_is_too_large_is_too_large() -> None:
    with pytest.raises(RequestTooLarge):
        upload(("file", "cat.gif", GIF + b"x"), rules=SMALL)


def test_a_picture_is_shown_by_its_digest() -> None:
    shown = {"sha256": hashlib.sha256(GIF).hexdigest(), "bytes": len(GIF), "media_type": "image/gif"}
    assert classify(data_url()).as_body()["input"] == shown


def test_options_of_a_form_are_an_object() -> None:
    with pytest.raises(InvalidRequest, match="/options: must be an object"):
        upload(("file", "cat.gif", GIF), ("options", None, b"[]"))

import gzip
import io

import pytest
from flask.testing import FlaskClient
from PIL import Image

from simulator import create_app


@pytest.mark.parametrize(
    ("name", "kind"), [("cat.png", "PNG"), ("bridge.jpg", "JPEG"), ("sunset.webp", "WEBP"), ("wave.gif", "GIF")]
)
def test_a_friendly_picture_is_small_and_opens(client: FlaskClient, name: str, kind: str) -> None:
    response = client.get(f"/pictures/{name}")
    assert len(response.data) < 20_000
    with Image.open(io.BytesIO(response.data)) as picture:
        picture.load()
        assert (picture.format, response.mimetype) == (kind, picture.get_format_mimetype())


def test_a_friendly_picture_is_the_same_in_every_simulator(client: FlaskClient) -> None:
    assert client.get("/pictures/cat.png").data == create_app().test_client().get("/pictures/cat.png").data


def test_the_bomb_is_a_tiny_file_of_many_pixels(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    content = client.get("/pictures/bomb.png").data
    assert len(content) < 100_000
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.width * picture.height == 400_000_000


def test_the_broken_picture_does_not_load(client: FlaskClient) -> None:
    content = client.get("/pictures/broken.png").data
    with Image.open(io.BytesIO(content)) as picture, pytest.raises(OSError, match="truncated"):
        picture.load()


@pytest.mark.parametrize(
    ("name", "media_type", "start"), [("text.png", "image/png", b"This"), ("icon.svg", "image/svg+xml", b"<svg")]
)
def test_what_is_no_picture_comes_as_one(client: FlaskClient, name: str, media_type: str, start: bytes) -> None:
    response = client.get(f"/pictures/{name}")
    assert response.mimetype == media_type
    assert response.data.startswith(start)


def test_the_large_picture_has_as_many_bytes_as_asked(client: FlaskClient) -> None:
    response = client.get("/pictures/large.bin?bytes=200001")
    assert (len(response.data), response.content_length) == (200_001, 200_001)


def test_the_large_picture_can_keep_its_size_to_itself(client: FlaskClient) -> None:
    response = client.get("/pictures/large.bin?bytes=100&chunked", buffered=False)
    assert "Content-Length" not in response.headers
    assert len(response.data) == 100


def test_the_squeezed_picture_is_larger_than_it_looks(client: FlaskClient) -> None:
    response = client.get("/pictures/squeezed.png?bytes=1000000")
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(response.data) < 2000
    assert len(gzip.decompress(response.data)) == 1_000_000


def test_the_dripping_picture_arrives_whole(client: FlaskClient) -> None:
    assert client.get("/pictures/drip.png?seconds=0.1").data == client.get("/pictures/cat.png").data


def test_a_redirect_leads_where_it_is_told(client: FlaskClient) -> None:
    response = client.get("/pictures/redirect?to=http://10.0.0.1/secret")
    assert (response.status_code, response.headers["Location"]) == (302, "http://10.0.0.1/secret")


def test_a_missing_picture_is_404(client: FlaskClient) -> None:
    assert client.get("/pictures/missing.png").status_code == 404


def test_downloads_are_counted_apart_from_provider_calls(client: FlaskClient) -> None:
    client.delete("/admin/calls")
    client.get("/pictures/cat.png")
    report = client.get("/admin/calls").json
    assert report is not None
    assert (report["pictures"], report["total"]) == ({"cat.png": 1}, 0)


def test_the_front_page_says_that_this_is_a_simulator(client: FlaskClient) -> None:
    assert "simulator" in client.get("/").json["warning"]  # type: ignore[index]


def test_the_simulator_is_healthy(client: FlaskClient) -> None:
    assert client.get("/health").status_code == 200

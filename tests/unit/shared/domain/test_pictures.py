import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.picture_formats.bounds import UnsupportedPicture
from shared.domain.pictures import picture, sniff

WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 "


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"GIF87a...", "image/gif"),
        (b"GIF89a...", "image/gif"),
        (WEBP, "image/webp"),
    ],
)
def test_the_media_type_comes_from_the_first_bytes(content: bytes, media_type: str) -> None:
    assert sniff(content) == media_type


@pytest.mark.parametrize("content", [b"", b"GIF88a", b"RIFF\x24\x00\x00\x00WAVE", b"<svg/>", b"%PDF-1.7", b"BM"])
def test_other_formats_are_unsupported(content: bytes) -> None:
    with pytest.raises(UnsupportedPicture):
        sniff(content)


@given(st.binary(max_size=40))
def test_a_picture_is_known_by_the_digest_of_its_bytes(tail: bytes) -> None:
    content = b"GIF89a" + tail
    made = picture(content)
    assert (made.sha256, made.content) == (hashlib.sha256(content).hexdigest(), content)

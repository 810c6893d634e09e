from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.domain.pictures import picture
from workers.pictures.decoder_process import BROKEN, DECODED, decode

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def drawn(file_format: str, width: int = 40, height: int = 30, mode: str = "RGB") -> bytes:
    image = Image.radial_gradient("L").resize((width, height)).convert(mode)
    content = BytesIO()
    image.save(content, file_format)
    return content.getvalue()


def animation(file_format: str) -> bytes:
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "green", "blue")]
    content = BytesIO()
    frames[0].save(content, file_format, save_all=True, append_images=frames[1:])
    return content.getvalue()


def word(content: bytes, pixels: int = 1200) -> str:
    given = picture(content)
    return decode(given.content, given.media_type, pixels)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_whole_picture_passes(file_format: str) -> None:
    assert word(drawn(file_format)) == DECODED


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "GIF"])
def test_an_animation_passes(file_format: str) -> None:
    assert word(animation(file_format)) == DECODED


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16"])
def test_a_picture_of_any_mode_passes(mode: str) -> None:
    assert word(drawn("PNG", mode=mode)) == DECODED


@pytest.mark.parametrize("file_format", FORMATS)
def test_more_pixels_than_were_reckoned_with_are_not_decoded(file_format: str) -> None:
    assert word(drawn(file_format), pixels=1199) == BROKEN


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_truncated_picture_is_broken(file_format: str) -> None:
    content = drawn(file_format, 400, 300)
    assert word(content[: len(content) // 2], pixels=1_000_000) == BROKEN


@pytest.mark.parametrize("content", [b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x04\x00\x00\x00WEBP"])
def test_a_mere_signature_is_broken(content: bytes) -> None:
    assert word(content) == BROKEN


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([drawn(name) for name in FORMATS]), st.data())
def test_a_damaged_picture_is_decoded_without_surprise(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = content[:at] + data.draw(st.binary(min_size=1, max_size=8)) + content[at + data.draw(st.integers(0, 8)) :]
    assert decode(damaged, picture(content).media_type, 1_000_000) in {DECODED, BROKEN}

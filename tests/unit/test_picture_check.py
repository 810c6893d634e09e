from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.job_errors import ImageTooLarge, ImageUnsupported, PictureError
from shared.pictures import picture
from workers.images import check_picture

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


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_whole_picture_passes(file_format: str) -> None:
    check_picture(picture(drawn(file_format)), max_pixels=1200)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "GIF"])
def test_an_animation_passes(file_format: str) -> None:
    check_picture(picture(animation(file_format)), max_pixels=1200)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16"])
def test_a_picture_of_any_mode_passes(mode: str) -> None:
    check_picture(picture(drawn("PNG", mode=mode)), max_pixels=1200)


@pytest.mark.parametrize("file_format", FORMATS)
def test_too_many_pixels_are_too_large(file_format: str) -> None:
    with pytest.raises(ImageTooLarge, match="40 x 30"):
        check_picture(picture(drawn(file_format)), max_pixels=1199)


def test_a_bomb_is_too_large_before_it_is_decoded() -> None:
    bomb = BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    with pytest.raises(ImageTooLarge):
        check_picture(picture(bomb.getvalue()), max_pixels=25_000_000)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_truncated_picture_is_unsupported(file_format: str) -> None:
    content = drawn(file_format, 400, 300)
    with pytest.raises(ImageUnsupported):
        check_picture(picture(content[: len(content) // 2]), max_pixels=1_000_000)


@pytest.mark.parametrize("content", [b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x04\x00\x00\x00WEBP"])
def test_a_mere_signature_is_unsupported(content: bytes) -> None:
    with pytest.raises(ImageUnsupported):
        check_picture(picture(content), max_pixels=1200)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([drawn(name) for name in FORMATS]), st.data())
def test_a_damaged_picture_is_checked_without_surprise(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = content[:at] + data.draw(st.binary(min_size=1, max_size=8)) + content[at + data.draw(st.integers(0, 8)) :]
    try:
        check_picture(picture(damaged), max_pixels=1_000_000)
    except PictureError as err:
        assert err.code in {"image_unsupported", "image_too_large"}  # noqa: PT017  both are fine, others are not


def test_many_threads_can_check_at_once() -> None:
    contents = [picture(drawn(name)) for name in FORMATS] * 10
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda given: check_picture(given, 1200), contents)) == [None] * 40

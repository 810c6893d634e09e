"""The walk over a picture's file: what is honest passes, and what would cost a decoder dearly does not."""

import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shared.domain.picture_formats import gif, jpeg, png, webp
from shared.domain.picture_formats.bounds import OversizePicture, UnsupportedPicture
from shared.domain.pictures import check_structure, picture

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\xff\x00\x00\x00WEBP")
EXIF = Image.Exif()
EXIF[0x010E] = "a description" * 100
SCREEN = b"GIF89a" + struct.pack("<HHBBB", 40, 30, 0, 0, 0)
BYTES = 10_000_000


def drawn(file_format: str, width: int = 40, height: int = 30, mode: str = "RGB", **options: Any) -> bytes:
    content = BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert(mode).save(content, file_format, **options)
    return content.getvalue()


def animated(file_format: str, frames: int = 3) -> bytes:
    shown = [Image.new("RGB", (40, 30), (n % 256, n // 256, 77)) for n in range(frames)]
    content = BytesIO()
    shown[0].save(content, file_format, save_all=True, append_images=shown[1:])
    return content.getvalue()


def walked(content: bytes, max_pixels: int = 25_000_000) -> tuple[int, int]:
    shape = check_structure(picture(content), max_pixels)
    return shape.width, shape.height


def refusal(content: bytes) -> str:
    with pytest.raises(UnsupportedPicture) as caught:
        walked(content)
    return caught.value.detail


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def segment(marker: int, content: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def with_scans(scans: int) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again."""
    content = drawn("JPEG", 400, 300, progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * scans + b"\xff\xd9"


HONEST: dict[str, Callable[[], bytes]] = {
    **{file_format: partial(drawn, file_format) for file_format in FORMATS},
    **{f"animated {file_format}": partial(animated, file_format) for file_format in ("PNG", "WEBP", "GIF")},
    **{f"PNG {mode}": partial(drawn, "PNG", mode=mode) for mode in ("1", "L", "P", "RGBA", "I;16")},
    "JPEG grey": lambda: drawn("JPEG", mode="L"),
    "JPEG CMYK": lambda: drawn("JPEG", mode="CMYK"),
    "JPEG progressive": lambda: drawn("JPEG", progressive=True),
    "JPEG of 110 scans": lambda: with_scans(100),
    "JPEG with restarts": lambda: drawn("JPEG", restart_marker_blocks=1),
    "JPEG with EXIF, ICC, XMP and a comment": lambda: drawn(
        "JPEG", exif=EXIF, icc_profile=bytes(range(256)) * 1_000, xmp=b"\xff\xd8\xff\xd9" * 100, comment=b"\xff" * 99
    ),
    "JPEG with something after its end": lambda: drawn("JPEG") + b"\xff\xd8" + bytes(1_000),
    "PNG with EXIF and ICC": lambda: drawn("PNG", exif=EXIF, icc_profile=bytes(range(256))),
    "PNG with something after its end": lambda: drawn("PNG") + bytes(1_000),
    "WEBP lossless": lambda: drawn("WEBP", lossless=True),
    "WEBP with alpha": lambda: drawn("WEBP", mode="RGBA"),
    "WEBP with EXIF, ICC and XMP": lambda: drawn("WEBP", exif=EXIF, icc_profile=bytes(999), xmp=b"<x/>"),
    "GIF with a comment": lambda: drawn("GIF", comment=b"x" * 10_000),
    "GIF of a thousand frames": lambda: animated("GIF", 1_000),
}


@cache
def honest(name: str) -> bytes:
    return HONEST[name]()


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_picture_passes_with_its_size(name: str) -> None:
    with Image.open(BytesIO(honest(name))) as image:
        assert walked(honest(name)) == image.size


def test_a_png_with_many_texts_passes() -> None:
    texts = PngInfo()
    for number in range(500):
        texts.add_text(f"key{number}", "value")
    assert walked(drawn("PNG", pnginfo=texts)) == (40, 30)


@pytest.mark.parametrize("file_format", FORMATS)
def test_more_pixels_than_allowed_are_too_large(file_format: str) -> None:
    with pytest.raises(OversizePicture, match="40 x 30"):
        walked(drawn(file_format), max_pixels=1_199)


def test_a_first_frame_that_is_larger_than_the_screen_counts() -> None:
    content = bytearray(drawn("GIF"))
    content[6:10] = struct.pack("<HH", 1, 1)
    assert walked(bytes(content)) == (40, 30)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_truncated_file_is_refused(file_format: str) -> None:
    content = drawn(file_format)
    assert all(refusal(content[:size]) for size in range(12, len(content)))


@pytest.mark.parametrize("start", STARTS)
def test_a_file_that_only_begins_like_a_picture_is_refused(start: bytes) -> None:
    assert refusal(start + bytes(1_000))


@pytest.mark.parametrize(
    "content",
    [
        png.SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 9, 8, 0, 0, 0, 0)) + chunk(b"IDAT") + chunk(b"IEND"),
        b"\xff\xd8" + segment(0xC0, b"\x08\x00\x00\x00\x09\x01") + segment(0xDA) + b"\xff\xd9",
        b"GIF89a" + bytes(7) + b"," + bytes(9) + b"\x02\x00;",
    ],
    ids=["png", "jpeg", "gif"],
)
def test_a_picture_without_pixels_is_refused(content: bytes) -> None:
    assert refusal(content) == "The picture has no pixels."


def headed(start: bytes, kind: int) -> bytes:
    return start + segment(kind, b"\x08\x00\x09\x00\x09\x01\x01\x11\x00")


COSTLY: dict[str, tuple[Callable[[], bytes], str]] = {
    "scans": (lambda: with_scans(20_000), "too many scans; at most 200"),
    "segments": (lambda: b"\xff\xd8" + segment(0xE0) * 1_600_000, "too many segments"),
    "fill": (lambda: b"\xff\xd8" + b"\xff" * BYTES, "too many bytes between its segments|truncated"),
    "fill and an end": (
        lambda: b"\xff\xd8" + b"\xff" * BYTES + drawn("JPEG")[2:],
        "too many bytes between its segments",
    ),
    "junk": (lambda: b"\xff\xd8\xff\xff" + bytes(BYTES) + drawn("JPEG")[2:], "too many bytes between its segments"),
    "restarts": (
        lambda: b"\xff\xd8" + b"\xff\xd0" * (BYTES // 2) + drawn("JPEG")[2:],
        "too many bytes between its segments",
    ),
    "stuffed zeros": (lambda: headed(b"\xff\xd8", 0xC0) + segment(0xDA) + b"\xff\x00" * (BYTES // 2), "truncated"),
    "lone markers": (
        lambda: headed(b"\xff\xd8", 0xC0) + segment(0xDA) + b"\xff\x01" * (BYTES // 2),
        "too many segments",
    ),
    "empty chunks": (lambda: drawn("PNG")[:33] + chunk(b"abCd") * 700_000, "too many chunks"),
    "frames": (
        lambda: SCREEN + b"\x21\xf9\x04" + bytes(5) + b",\0\0\0\0\1\0\1\0\0\2\1\0\0" * 700_000 + b";",
        "too many frames; at most 5000",
    ),
    "extensions": (lambda: SCREEN + b"!\xfe\0" * (BYTES // 3) + b";", "too many extensions"),
    "sub-blocks": (lambda: SCREEN + b"!\xfe" + b"\1x" * (BYTES // 2) + b"\0;", "too many small blocks"),
    "zeros": (lambda: SCREEN + bytes(BYTES), "too many bytes between its blocks"),
    "webp chunks": (
        lambda: b"RIFF" + struct.pack("<I", 22 + 8 * 1_000_000) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(10)
        + b"abcd\0\0\0\0" * 1_000_000,
        "too many chunks",
    ),
    "webp frames": (
        lambda: b"RIFF" + struct.pack("<I", 22 + 8 * 1_000_000) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(10)
        + b"ANMF\0\0\0\0" * 1_000_000,
        "too many frames",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COSTLY)
def test_a_file_made_to_be_costly_is_refused_with_the_reason(name: str) -> None:
    make, reason = COSTLY[name]
    given = picture(make())
    with pytest.raises(UnsupportedPicture, match=reason):
        check_structure(given, 25_000_000)


@pytest.mark.parametrize("walk", [png.walk, jpeg.walk, gif.walk, webp.walk])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_bytes_surprise_a_walk(walk: Any, data: st.DataObject) -> None:
    whole = honest(data.draw(st.sampled_from(list(HONEST))))
    at = data.draw(st.integers(0, len(whole)))
    content = whole[:at] + data.draw(st.binary(max_size=40)) + whole[at + data.draw(st.integers(0, 40)) :]
    try:
        walk(content)
    except UnsupportedPicture as err:
        assert err.detail  # noqa: PT017  that or a shape

"""Files that are hostile pictures, or no pictures, each with what it is, in words. Large ones are mere headers."""

import struct
import zlib
from collections.abc import Callable, Mapping

from shared.domain.picture_formats.bounds import MAX_FRAMES
from shared.domain.picture_formats.jpeg import MAX_SCANS, MAX_SEGMENTS
from shared.domain.picture_formats.png import MAX_CHUNKS, SIGNATURE
from tests.integration.costly_jpeg import costly_jpeg
from tests.integration.hostile_servers import TOO_LARGE, UNSUPPORTED
from tests.integration.picture_parts import (
    GIF_PIXEL,
    canvas,
    chunk,
    drawn,
    gif_of,
    header,
    jpeg_of,
    lossless,
    lossy,
    png_of,
    riff,
    segment,
)

Made = Callable[[], bytes]

SOLID_WEBP = bytes.fromhex("524946461a000000574542505650384c0e0000002f87d3e104071011fd0f4444ff03")


def without_end(content: bytes) -> bytes:
    return content[: len(content) // 2]


def damaged(content: bytes) -> bytes:
    """Return the file with its middle overwritten."""
    middle = len(content) // 2
    return content[:middle] + bytes(50) + content[middle + 50 :]


def squeezed(megabytes: int) -> bytes:
    return zlib.compress(bytes(megabytes * 1_000_000), 9)


PIXELS: Mapping[str, Made] = {
    "a PNG of 81 megapixels": lambda: png_of(width=9_000, height=9_000),
    "a PNG of 2,500 megapixels": lambda: png_of(width=50_000, height=50_000),
    "a PNG of the most pixels that its header can say": lambda: png_of(width=2**32 - 1, height=2**32 - 1),
    "a PNG of one row without end": lambda: png_of(width=2**31 - 1),
    "a JPEG of 81 megapixels": lambda: jpeg_of(width=9_000, height=9_000),
    "a JPEG of 2,500 megapixels": lambda: jpeg_of(width=50_000, height=50_000),
    "a GIF of 81 megapixels": lambda: gif_of(GIF_PIXEL, width=9_000, height=9_000),
    "a GIF of 2,500 megapixels": lambda: gif_of(GIF_PIXEL, width=50_000, height=50_000),
    "a small GIF whose first frame has 2,500 megapixels": lambda: gif_of(
        struct.pack("<BHHHHB", 0x2C, 0, 0, 50_000, 50_000, 0) + b"\2\2D\1\0"
    ),
    "a small GIF whose first frame is far away": lambda: gif_of(
        struct.pack("<BHHHHB", 0x2C, 50_000, 50_000, 1, 1, 0) + b"\2\2D\1\0"
    ),
    "a lossless WebP of 81 megapixels": lambda: riff(lossless(9_000, 9_000)),
    "a lossy WebP of 81 megapixels": lambda: riff(lossy(9_000, 9_000)),
    "a WebP with a canvas of 2,500 megapixels": lambda: riff(canvas(50_000, 50_000), lossy(1, 1)),
}

BROKEN: Mapping[str, Made] = {
    "a PNG without pixels": lambda: png_of(width=0),
    "a JPEG without pixels": lambda: jpeg_of(width=0),
    "a GIF without frames": gif_of,
    "a WebP without frames": lambda: riff(canvas(8, 8)),
    "a PNG with a second header of 2,500 megapixels": lambda: png_of(header(50_000, 50_000)),
    "a JPEG with a second header of 2,500 megapixels": lambda: jpeg_of(
        segment(0xC0, struct.pack(">BHHBBBB", 8, 50_000, 50_000, 1, 1, 0x11, 0))
    ),
    "a WebP whose frame is larger than its canvas": lambda: riff(canvas(8, 8), lossless(16_000, 16_000)),
    "a WebP whose canvas is larger than its frame": lambda: riff(canvas(5_000, 5_000), lossless(8, 8)),
    "a lossless WebP of 25 megapixels without its data": lambda: riff(lossless(5_000, 5_000)),
    "a PNG of 25 megapixels without its data": lambda: png_of(width=5_000, height=5_000),
    **{f"a truncated {each}": lambda each=each: without_end(drawn(each)) for each in ("PNG", "JPEG", "GIF", "WEBP")},
    **{f"a damaged {each}": lambda each=each: damaged(drawn(each)) for each in ("PNG", "WEBP")},
    "the signature of a PNG alone": lambda: SIGNATURE,
    "a PNG whose chunk is longer than the file": lambda: png_of(struct.pack(">I", 2**32 - 1) + b"tEXt"),
    "a PNG whose checksum is wrong": lambda: png_of(chunk(b"PLTE", bytes(3), checksum=0)),
    "a JPEG whose segment has no length": lambda: jpeg_of(b"\xff\xe1\0\0"),
    "a WebP whose container is longer than the file": lambda: riff(lossless(8, 8))[:-4],
}

BOMBS: Mapping[str, Made] = {
    "a PNG with a colour profile that unfolds to 50 MB": lambda: png_of(chunk(b"iCCP", b"x\0\0" + squeezed(50))),
    "a PNG with a text that unfolds to 50 MB": lambda: png_of(chunk(b"zTXt", b"x\0\0" + squeezed(50))),
    "a PNG with a text in UTF-8 that unfolds to 50 MB": lambda: png_of(chunk(b"iTXt", b"x\0\1\0\0\0" + squeezed(50))),
    "a PNG with a hundred texts that unfold to 1 MB each": lambda: png_of(
        *[chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1_000_000), 9))] * 100
    ),
    "a GIF of too many frames": lambda: gif_of(GIF_PIXEL * (MAX_FRAMES + 1)),
    "a GIF cut into blocks of one byte": lambda: gif_of(b"!\xfe" + b"\1x" * 50_000 + b"\0", GIF_PIXEL),
    "a GIF of too many extensions": lambda: gif_of(b"!\xfe\0" * 20_000, GIF_PIXEL),
    "a WebP of too many frames": lambda: riff(canvas(8, 8, 2), *[(b"ANMF", b"")] * (MAX_FRAMES + 1)),
    "a PNG of too many chunks": lambda: png_of(chunk(b"fcTL", b"") * MAX_CHUNKS),
    "a JPEG of too many scans": lambda: costly_jpeg(MAX_SCANS + 1),
    "a JPEG with too many EXIF segments": lambda: jpeg_of(segment(0xE1, b"Exif\0\0") * MAX_SEGMENTS),
    "a JPEG with too many colour profiles": lambda: jpeg_of(segment(0xE2, b"ICC_PROFILE\0") * MAX_SEGMENTS),
    "a JPEG with fill bytes without end": lambda: jpeg_of(b"\xff" * 9_999),
}

NO_PICTURES: Mapping[str, Made] = {
    "nothing": lambda: b"",
    "a drawing in SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>',
    "an SVG that includes a file": lambda: (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
    ),
    "an SVG that includes metadata": lambda: b'<svg><image href="http://169.254.169.254/latest"/></svg>',
    "a page that begins like a PNG": lambda: SIGNATURE + b"<script>alert(1)</script>",
    "a script that begins like a GIF": lambda: b"GIF89a=1;alert(document.domain)//;",
    "a document that begins like a JPEG": lambda: b"\xff\xd8\xff%PDF-1.7\n" + bytes(99),
    "a film that begins like a WebP": lambda: riff((b"LIST", b"hdrlavih"), (b"movi", bytes(99))),
    "an archive": lambda: b"PK\3\4" + bytes(99),
    "a program of PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file\n",
    "a TIFF": lambda: b"II*\0\x08\0\0\0" + bytes(99),
    "a bitmap of Windows": lambda: b"BM" + struct.pack("<IHHIIiiHH", 99, 0, 0, 54, 40, 9, 9, 1, 24),
    "an AVIF": lambda: b"\0\0\0\x1cftypavif" + bytes(99),
    "a command for ImageMagick": lambda: b"push graphic-context\nimage over 0,0 0,0 'http://127.0.0.1/'\n",
}

FILES: Mapping[str, tuple[Made, str]] = {
    **{words: (made, TOO_LARGE) for words, made in PIXELS.items()},
    **{words: (made, UNSUPPORTED) for words, made in (BROKEN | BOMBS | NO_PICTURES).items()},
}

HARMLESS: Mapping[str, Made] = {
    "a whole PNG before a page": lambda: png_of() + b"<script>alert(1)</script>",
    "a whole GIF before an archive": lambda: gif_of(GIF_PIXEL) + b"PK\3\4" + bytes(99),
    "a PNG whose EXIF points at itself": lambda: png_of(
        chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08\0\0\0\x08")
    ),
    "a WebP of 34 bytes that takes the largest canvas": lambda: SOLID_WEBP,
}
"""What some programs stumble over. For us it is a picture, whose other contents nobody opens."""

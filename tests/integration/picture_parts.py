"""Parts of picture files, to put together such files as no encoder writes."""

import struct
import zlib
from io import BytesIO

from PIL import Image

from shared.domain.picture_formats.png import SIGNATURE

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
GIF_PIXEL = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
"""A frame of one pixel."""


def drawn(file_format: str, side: int = 200) -> bytes:
    content = BytesIO()
    Image.radial_gradient("L").resize((side, side)).convert("RGB").save(content, file_format)
    return content.getvalue()


def chunk(kind: bytes, content: bytes, checksum: int | None = None) -> bytes:
    """Return a chunk of a PNG."""
    right = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", right if checksum is None else checksum)


def header(width: int, height: int) -> bytes:
    """Return the header chunk of a PNG of one bit a pixel."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))


def png_of(*chunks: bytes, width: int = 1, height: int = 1, pixels: bytes = b"\0\0") -> bytes:
    """Return a PNG with further chunks before its pixels."""
    data = chunk(b"IDAT", zlib.compress(pixels))
    return b"".join((SIGNATURE, header(width, height), *chunks, data, chunk(b"IEND", b"")))


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg_of(*segments: bytes, width: int = 8, height: int = 8) -> bytes:
    frame = segment(0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0))
    scan = segment(0xDA, bytes((1, 1, 0, 0, 63, 0))) + bytes(9)
    return b"".join((JPEG_START, *segments, frame, scan, JPEG_END))


def gif_of(*blocks: bytes, width: int = 1, height: int = 1) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"".join(blocks) + b";"


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a WebP of these chunks."""
    body = b"".join(kind + struct.pack("<I", len(each)) + each + bytes(len(each) % 2) for kind, each in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    """Return the chunk of a WebP that says how large its canvas is."""
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes((flags, 0, 0, 0)) + sizes


def lossless(width: int, height: int, pixels: bytes = b"") -> tuple[bytes, bytes]:
    return b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + pixels


def lossy(width: int, height: int) -> tuple[bytes, bytes]:
    return b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(9)

"""Recognizes and checks pictures by their bytes; the media type that a sender declares is ignored."""

import hashlib
from collections.abc import Callable, Mapping

from shared.domain.picture_formats import gif, jpeg, png, webp
from shared.domain.picture_formats.bounds import OversizePicture, Shape, UnsupportedPicture
from shared.domain.request import Picture

_PREFIXES = (
    (png.SIGNATURE, "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)

_WALKS: Mapping[str, Callable[[bytes], Shape]] = {
    "image/png": png.walk,
    "image/jpeg": jpeg.walk,
    "image/gif": gif.walk,
    "image/webp": webp.walk,
}


def sniff(content: bytes) -> str:
    """Return the media type, found by the first bytes; raise UnsupportedPicture unless PNG, JPEG, WebP or GIF."""
    for prefix, media_type in _PREFIXES:
        if content.startswith(prefix):
            return media_type
    if content.startswith(webp.CONTAINER) and content[8:12] == webp.FORMAT:
        return "image/webp"
    message = "The picture is not a readable PNG, JPEG, WebP or GIF."
    raise UnsupportedPicture(message)


def picture(content: bytes) -> Picture:
    """Return the picture with its digest and media type; raise UnsupportedPicture. Nothing is decoded."""
    return Picture(sha256=hashlib.sha256(content).hexdigest(), media_type=sniff(content), content=content)


def check_structure(given: Picture, max_pixels: int) -> Shape:
    """Return the shape of a picture, after a check of the file's structure that takes a few ms for 10 MB.

    Raises OversizePicture for more than `max_pixels`. Raises UnsupportedPicture for a file that ends early, whose
    lengths contradict each other, or that has so many pieces that decoding would take very long. A file that passes
    may still have pixels that can't be decoded.
    """
    shape = _WALKS[given.media_type](given.content)
    if not shape.pixels:
        message = "The picture has no pixels."
        raise UnsupportedPicture(message)
    if shape.pixels > max_pixels:
        message = f"The picture has {shape.width} x {shape.height} pixels; at most {max_pixels} are accepted."
        raise OversizePicture(message)
    return shape

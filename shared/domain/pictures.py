"""Pictures are known by their bytes: the media type a sender claims is never believed."""

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
    """Return the media type that the first bytes show; raise UnsupportedPicture for all but PNG, JPEG, WebP and GIF."""
    for prefix, media_type in _PREFIXES:
        if content.startswith(prefix):
            return media_type
    if content.startswith(webp.CONTAINER) and content[8:12] == webp.FORMAT:
        return "image/webp"
    message = "The picture is not a readable PNG, JPEG, WebP or GIF."
    raise UnsupportedPicture(message)


def picture(content: bytes) -> Picture:
    """Return the bytes with their digest and media type; raise UnsupportedPicture. Nothing is decoded."""
    return Picture(sha256=hashlib.sha256(content).hexdigest(), media_type=sniff(content), content=content)


def check_structure(given: Picture, max_pixels: int) -> Shape:
    """Return the shape of a picture whose file is whole and honestly built; it takes a few ms for 10 MB.

    Raises UnsupportedPicture for a file that ends early, does not add up, or is cut into so many pieces that decoding
    it would take very long, and OversizePicture for more than `max_pixels`. Whether the pixels can be decoded it can't
    tell.
    """
    shape = _WALKS[given.media_type](given.content)
    if not shape.pixels:
        message = "The picture has no pixels."
        raise UnsupportedPicture(message)
    if shape.pixels > max_pixels:
        message = f"The picture has {shape.width} x {shape.height} pixels; at most {max_pixels} are accepted."
        raise OversizePicture(message)
    return shape

"""Pictures are known by their bytes: the media type a sender claims is never believed."""

import hashlib
from collections.abc import Callable, Mapping

from shared.domain.picture_formats import gif, jpeg, png, webp
from shared.domain.picture_formats.bounds import Shape
from shared.domain.request import Picture
from shared.jobs.errors import ImageTooLarge, ImageUnsupported

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
    """Return the media type that the first bytes show; raise ImageUnsupported for all but PNG, JPEG, WebP and GIF."""
    for prefix, media_type in _PREFIXES:
        if content.startswith(prefix):
            return media_type
    if content.startswith(webp.CONTAINER) and content[8:12] == webp.FORMAT:
        return "image/webp"
    raise ImageUnsupported


def picture(content: bytes) -> Picture:
    """Return the bytes with their digest and media type; raise ImageUnsupported. Nothing is decoded."""
    return Picture(sha256=hashlib.sha256(content).hexdigest(), media_type=sniff(content), content=content)


def check_structure(given: Picture, max_pixels: int) -> Shape:
    """Return the shape of a picture whose file is whole and honestly built; it takes a few ms for 10 MB.

    Raises ImageUnsupported for a file that ends early, does not add up, or is cut into so many pieces that decoding
    it would take very long, and ImageTooLarge for more than `max_pixels`. Whether the pixels can be decoded it can't
    tell.
    """
    shape = _WALKS[given.media_type](given.content)
    if not shape.pixels:
        message = "The picture has no pixels."
        raise ImageUnsupported(message)
    if shape.pixels > max_pixels:
        message = f"The picture has {shape.width} x {shape.height} pixels; at most {max_pixels} are accepted."
        raise ImageTooLarge(message)
    return shape

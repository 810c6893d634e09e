"""Pictures are known by their bytes: the media type a sender claims is never believed."""

import hashlib

from shared.job_errors import ImageUnsupported
from shared.request import Picture

_WEBP_CONTAINER, _WEBP_FORMAT = b"RIFF", b"WEBP"
_PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def sniff(content: bytes) -> str:
    """Return the media type that the first bytes show; raise ImageUnsupported for all but PNG, JPEG, WebP and GIF."""
    for prefix, media_type in _PREFIXES:
        if content.startswith(prefix):
            return media_type
    if content.startswith(_WEBP_CONTAINER) and content[8:12] == _WEBP_FORMAT:
        return "image/webp"
    raise ImageUnsupported


def picture(content: bytes) -> Picture:
    """Return the bytes with their digest and media type; raise ImageUnsupported. Nothing is decoded."""
    return Picture(sha256=hashlib.sha256(content).hexdigest(), media_type=sniff(content), content=content)

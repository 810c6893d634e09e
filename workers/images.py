"""Getting a picture by its URL, and making sure that a picture is one."""

import struct
import zlib
from io import BytesIO

from PIL import Image

from shared.config import Settings
from shared.job_errors import ImageTooLarge, ImageUnsupported
from shared.pictures import picture
from shared.request import Picture
from workers.download import Limits, download

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}

# What Pillow's decoders let out for broken files.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


def fetch_picture(url: str, settings: Settings) -> Picture:
    """Download the picture, guarded; raises what `download` raises and ImageUnsupported. It is not decoded yet."""
    limits = Limits(
        max_bytes=settings.max_image_bytes,
        seconds=settings.image_download_timeout_seconds,
        allow=settings.image_url_allow,
    )
    return picture(download(url, limits))


def check_picture(given: Picture, max_pixels: int) -> None:
    """Decode the picture, of an animation the first frame.

    Raises ImageTooLarge for more than `max_pixels`, before anything is decoded, and ImageUnsupported for a broken or
    truncated file. Safe to call from many threads.
    """
    try:
        with Image.open(BytesIO(given.content), formats=[_FORMATS[given.media_type]]) as image:
            _check_size(image.width, image.height, max_pixels)
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as err:
        message = f"The picture has more than {max_pixels} pixels."
        raise ImageTooLarge(message) from err
    except _BROKEN as err:
        message = "The picture is broken or truncated."
        raise ImageUnsupported(message) from err


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        message = f"The picture has {width} x {height} pixels; at most {max_pixels} are accepted."
        raise ImageTooLarge(message)

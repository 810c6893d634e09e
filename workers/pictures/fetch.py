"""Getting a picture by its URL."""

from shared.config import Settings
from shared.domain.pictures import picture
from shared.domain.request import Picture
from workers.jobs.stop import Stop
from workers.outbound.download import Limits, download


def fetch_picture(url: str, settings: Settings, stop: Stop | None = None) -> Picture:
    """Download the picture, guarded; raises what `download` raises and ImageUnsupported. It is not decoded yet."""
    limits = Limits(
        max_bytes=settings.max_image_bytes,
        seconds=settings.image_download_timeout_seconds,
        allow=settings.image_url_allow,
    )
    return picture(download(url, limits, stop))

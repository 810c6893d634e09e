"""What is wrong with a picture, as the error of its job."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.picture_formats.bounds import OversizePicture, UnsupportedPicture
from shared.jobs.errors import ImageTooLarge, ImageUnsupported


@contextmanager
def as_job_errors() -> Iterator[None]:
    """Raise ImageTooLarge for OversizePicture and ImageUnsupported for UnsupportedPicture, with the same words."""
    try:
        yield
    except OversizePicture as err:
        raise ImageTooLarge(err.detail) from err
    except UnsupportedPicture as err:
        raise ImageUnsupported(err.detail) from err

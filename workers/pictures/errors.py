"""Translates the errors of pictures into errors of jobs."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.picture_formats.bounds import OversizePicture, UnsupportedPicture
from shared.jobs.errors import ImageTooLarge, ImageUnsupported


@contextmanager
def as_job_errors() -> Iterator[None]:
    """Raise ImageTooLarge for OversizePicture and ImageUnsupported for UnsupportedPicture, with the same message."""
    try:
        yield
    except OversizePicture as err:
        raise ImageTooLarge(err.detail) from err
    except UnsupportedPicture as err:
        raise ImageUnsupported(err.detail) from err

"""The errors, limits and result that the walks over all formats share."""

from dataclasses import dataclass

from shared.domain.inputs import WrongValue

MAX_FRAMES = 5_000
"""Frames of an animation. Some libraries index all frames before they decode the first."""


class UnsupportedPicture(WrongValue):
    """The bytes are no readable PNG, JPEG, WebP or GIF."""


class OversizePicture(WrongValue):
    """The picture has more pixels than are accepted."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The canvas that decoding needs, in pixels. Of an animation only the first frame is decoded."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many pixels the canvas has."""
        return self.width * self.height


def truncated(name: str) -> UnsupportedPicture:
    """Return the error for a file of this format that ends too early."""
    return UnsupportedPicture(f"The {name} file is truncated.")


def broken(name: str, what: str) -> UnsupportedPicture:
    """Return the error for a file of this format in which `what` is wrong."""
    return UnsupportedPicture(f"The {name} file is broken: {what}.")


def too_many(name: str, what: str, most: int) -> UnsupportedPicture:
    """Return the error for a file with more pieces than encoders write; many pieces make decoding slow."""
    return UnsupportedPicture(f"The {name} file has too many {what}; at most {most} are accepted.")

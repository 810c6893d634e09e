"""The valid sample pictures, drawn by code: small, and pleasant to look at."""

import io
import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from PIL import Image, ImageDraw

SIZE = (320, 240)
WIDTH, HEIGHT = SIZE
WAVE_FRAMES = 8
Colour = tuple[int, int, int]


@cache
def draw_samples() -> Mapping[str, bytes]:
    """Return the sample pictures by file name; they are drawn once in a process."""
    drawings: dict[str, Callable[[], bytes]] = {
        "cat.png": _cat,
        "bridge.jpg": _bridge,
        "sunset.webp": _sunset,
        "wave.gif": _wave,
    }
    return MappingProxyType({name: draw() for name, draw in drawings.items()})


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    # One column, stretched: fast, and the same in every version of Pillow.
    column = Image.new("RGB", (1, HEIGHT))
    for y in range(HEIGHT):
        part = y / (HEIGHT - 1)
        red, green, blue = (round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
        column.putpixel((0, y), (red, green, blue))
    return column.resize(SIZE, Image.Resampling.NEAREST)


def _cat() -> bytes:
    picture = _gradient((126, 176, 150), (84, 130, 110))
    pen = ImageDraw.Draw(picture)
    fur, dark, rose = (120, 120, 128), (70, 70, 78), (222, 150, 150)
    pen.ellipse((80, 150, 240, 330), fill=fur)
    for ear, inner in (((98, 40), (106, 56)), ((222, 40), (214, 56))):
        side = 1 if ear[0] < WIDTH / 2 else -1
        pen.polygon([ear, (ear[0] - 6 * side, 120), (ear[0] + 58 * side, 78)], fill=fur)
        pen.polygon([inner, (inner[0] - 2 * side, 100), (inner[0] + 34 * side, 80)], fill=rose)
    pen.ellipse((88, 62, 232, 190), fill=fur)
    for x in (126, 194):
        pen.ellipse((x - 15, 106, x + 15, 134), fill=(236, 214, 90))
        pen.ellipse((x - 4, 107, x + 4, 133), fill=(20, 20, 20))
    pen.polygon([(152, 142), (168, 142), (160, 151)], fill=rose)
    pen.arc((142, 142, 160, 162), 0, 150, fill=dark, width=2)
    pen.arc((160, 142, 178, 162), 30, 180, fill=dark, width=2)
    for rise in (-8, 0, 8):
        pen.line((140, 152 + rise // 2, 84, 150 + rise * 2), fill=(235, 235, 235))
        pen.line((180, 152 + rise // 2, 236, 150 + rise * 2), fill=(235, 235, 235))
    for x in (144, 160, 176):
        pen.line((x, 66, x, 88), fill=dark, width=4)
    return _saved(picture, "PNG", optimize=True)


def _bridge() -> bytes:
    picture = _gradient((150, 190, 226), (236, 240, 240))
    pen = ImageDraw.Draw(picture)
    red = (178, 58, 44)
    pen.rectangle((0, 170, WIDTH, HEIGHT), fill=(52, 104, 138))
    for x in (85, 235):
        pen.rectangle((x - 6, 50, x + 6, 200), fill=red)
    cable = [(x, round(60 + 84 * (1 - ((x - 160) / 75) ** 2))) for x in range(85, 236, 3)]
    pen.line(cable, fill=red, width=3)
    pen.line((0, 130, 85, 58), fill=red, width=3)
    pen.line((235, 58, WIDTH, 130), fill=red, width=3)
    for x, y in cable[::3]:
        pen.line((x, y, x, 150), fill=red)
    pen.rectangle((0, 148, WIDTH, 156), fill=red)
    return _saved(picture, "JPEG", quality=85)


def _sunset() -> bytes:
    picture = _gradient((64, 44, 104), (250, 150, 70))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((120, 95, 200, 175), fill=(255, 226, 130))
    pen.polygon([(0, 150), (70, 118), (150, 150), (230, 112), (WIDTH, 150)], fill=(58, 34, 66))
    pen.rectangle((0, 150, WIDTH, HEIGHT), fill=(92, 52, 92))
    for row, y in enumerate(range(156, HEIGHT, 10)):
        pen.line((150 - 6 * row, y, 170 + 6 * row, y), fill=(255, 190, 110), width=2)
    return _saved(picture, "WEBP", quality=80)


def _wave() -> bytes:
    frames = [_wave_frame(2 * math.pi * number / WAVE_FRAMES) for number in range(WAVE_FRAMES)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    return out.getvalue()


def _wave_frame(phase: float) -> Image.Image:
    picture = Image.new("RGB", (160, 120), (214, 234, 244))
    pen = ImageDraw.Draw(picture)
    for depth, colour in enumerate(((120, 180, 214), (64, 134, 186), (30, 84, 142))):
        line = [(x, round(60 + 18 * depth + 10 * math.sin(x / 18 + phase + depth))) for x in range(0, 161, 4)]
        pen.polygon([*line, (160, 120), (0, 120)], fill=colour)
    return picture.quantize(16)


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()

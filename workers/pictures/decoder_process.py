"""The process that decodes pictures: `python -m workers.pictures.decoder_process PARENT CPU_SECONDS`.

It reads pictures from standard input and answers each with one line. A hostile file can only harm this process, whose
memory and time are limited, and which can open nothing. It imports little, to start quickly, and ends with the process
that started it.
"""

import ctypes
import os
import resource
import signal
import socket
import struct
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
MEDIA_TYPES = tuple(FORMATS)

HEAD = struct.Struct(">BQI")
"""The header of a picture: index of its media type in MEDIA_TYPES, number of pixels, number of bytes."""

DECODED, BROKEN, TOO_MUCH_MEMORY = "decoded", "broken", "too_much_memory"

BYTES_PER_PIXEL = 12
"""Memory while decoding. A WebP needs the most: three canvases of four bytes."""

SPARE_BYTES = 96_000_000
COPIES = 3
"""Copies of a picture's bytes: as received, for the decoder, and what it keeps of them as metadata."""

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """Decode pictures until the worker closes its end of the socket."""
    parent, cpu_seconds = map(int, sys.argv[1:])
    _end_with(parent)
    # A signal to the whole process group is for the worker, with which this process ends.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _load_decoders()
    _serve(cpu_seconds)


def decode(content: bytes, media_type: str, pixels: int) -> str:
    """Decode a picture, or the first frame of an animation; return the result as one word.

    A picture with more pixels than its file was checked for is broken: the limits were computed for that number.
    """
    from PIL import Image  # noqa: PLC0415  not before the death signal is set

    try:
        with Image.open(BytesIO(content), formats=[FORMATS[media_type]]) as image:
            if image.width * image.height > pixels:
                return BROKEN
            _read_pixels(image)
    except MemoryError:
        return TOO_MUCH_MEMORY
    except Exception:  # noqa: BLE001  any error of a decoder means that it can't read the picture
        return BROKEN
    return DECODED


def _read_pixels(image: "ImageFile") -> None:
    """Decode with as little memory as the format permits: the pixels are not used, only proven to be there."""
    if image.format == "WEBP":
        # `load` does this too, and then copies the pixels into one more canvas.
        image._get_next()  # type: ignore[attr-defined]  # noqa: SLF001
        return
    # A JPEG of an eighth of the size is made of all its coded pixels too. Other formats ignore this.
    image.draft(None, (1, 1))
    image.load()


def _serve(cpu_seconds: int) -> None:
    usual_memory = _address_space()
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as line, line.makefile("rb") as pictures:
        _close_off()
        while len(head := pictures.read(HEAD.size)) == HEAD.size:
            kind, pixels, size = HEAD.unpack(head)
            _limit(resource.RLIMIT_CPU, _worked_seconds() + cpu_seconds + 1)
            _limit(resource.RLIMIT_AS, usual_memory + COPIES * size + BYTES_PER_PIXEL * pixels + SPARE_BYTES)
            word = decode(pictures.read(size), MEDIA_TYPES[kind], pixels)
            line.sendall(f"{word}\n".encode())


def _end_with(parent: int) -> None:
    """Let the kernel end this process with the worker's thread that started it; end now if that is already gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _close_off() -> None:
    """Let this process open no more files and connections, and write to no file.

    A picture that finds a hole in a decoder then has nothing to read, and nobody to tell.
    """
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
        resource.setrlimit(what, (0, 0))


def _load_decoders() -> None:
    # Pillow imports some modules late: `copy` for a GIF, Mpo and Tiff for what cameras put into a JPEG. Nothing can be
    # imported once this process is closed off.
    import copy  # noqa: F401, PLC0415

    from PIL import (  # noqa: PLC0415
        GifImagePlugin,  # noqa: F401
        Image,
        JpegImagePlugin,  # noqa: F401
        MpoImagePlugin,  # noqa: F401
        PngImagePlugin,  # noqa: F401
        TiffImagePlugin,  # noqa: F401
        WebPImagePlugin,  # noqa: F401
    )

    Image.preinit()
    # The check of the file has already limited the pixels, by MAX_IMAGE_PIXELS.
    Image.MAX_IMAGE_PIXELS = None


def _limit(what: int, most: int) -> None:
    """Set the soft limit of a resource, at which the kernel refuses more, or ends this process."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most, hard))


def _worked_seconds() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int(usage.ru_utime + usage.ru_stime)


def _address_space() -> int:
    """Return how many bytes this process has mapped."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()

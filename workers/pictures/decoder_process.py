"""The process that decodes pictures: `python -m workers.pictures.decoder_process PARENT CPU_SECONDS`.

Pictures come through its standard input, and for each one line goes back. What a hostile file does to a decoder it does
here, where memory and time are limited and nothing else is lost. It imports little, so that it starts soon, and ends
with the process that started it.
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

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
MEDIA_TYPES = tuple(FORMATS)

HEAD = struct.Struct(">BQI")
"""What goes before the bytes of a picture: the place of its media type in MEDIA_TYPES, its pixels, and their number."""

DECODED, BROKEN, TOO_MUCH_MEMORY = "decoded", "broken", "too_much_memory"

BYTES_PER_PIXEL = 20
"""Of memory while decoding: a WebP needs four canvases of four bytes, which is the most."""

SPARE_BYTES = 96_000_000
COPIES = 3
"""Of a picture's bytes: as they come, for the decoder, and what of them it keeps as metadata."""

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer until the other end is closed."""
    parent, cpu_seconds = map(int, sys.argv[1:])
    _end_with(parent)
    # Those who end a whole group of processes end the worker, and this one with it.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _load_decoders()
    _serve(cpu_seconds)


def decode(content: bytes, media_type: str, pixels: int) -> str:
    """Decode a picture, of an animation the first frame, and say what came of it.

    One of more pixels than the walk over its file has found is broken: what it may take was reckoned by them.
    """
    from PIL import Image  # noqa: PLC0415  not before the death signal is set

    try:
        with Image.open(BytesIO(content), formats=[FORMATS[media_type]]) as image:
            if image.width * image.height > pixels:
                return BROKEN
            image.load()
    except MemoryError:
        return TOO_MUCH_MEMORY
    except Exception:  # noqa: BLE001  whatever a decoder lets out, it could not read the picture
        return BROKEN
    return DECODED


def _serve(cpu_seconds: int) -> None:
    usual_memory = _address_space()
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as line, line.makefile("rb") as pictures:
        while len(head := pictures.read(HEAD.size)) == HEAD.size:
            kind, pixels, size = HEAD.unpack(head)
            _limit(resource.RLIMIT_CPU, _worked_seconds() + cpu_seconds + 1)
            _limit(resource.RLIMIT_AS, usual_memory + COPIES * size + BYTES_PER_PIXEL * pixels + SPARE_BYTES)
            word = decode(pictures.read(size), MEDIA_TYPES[kind], pixels)
            line.sendall(f"{word}\n".encode())


def _end_with(parent: int) -> None:
    """Let the kernel end this process with the worker's thread that started it, or end now if that is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _load_decoders() -> None:
    from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415

    Image.preinit()
    # The walk over a file bounds its pixels, and how many they may be is a setting.
    Image.MAX_IMAGE_PIXELS = None


def _limit(what: int, most: int) -> None:
    """Let the kernel refuse, or end this process, beyond `most`."""
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

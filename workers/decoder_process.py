"""The process that decodes pictures: `python -m workers.decoder_process PARENT MAX_BYTES MAX_PIXELS CPU_SECONDS`.

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
import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
MEDIA_TYPES = tuple(FORMATS)

HEAD = struct.Struct(">BI")
"""What goes before the bytes of a picture: the place of its media type in MEDIA_TYPES, and their number."""

DECODED, BROKEN, TOO_LARGE, TOO_MUCH_MEMORY = "decoded", "broken", "too_large", "too_much_memory"

BYTES_PER_PIXEL = 24
"""Of memory while decoding: a WebP needs four canvases of four bytes, a progressive JPEG in CMYK a little more."""

SPARE_BYTES = 64_000_000
COPIES = 3
"""Of a picture's bytes: as they come, for the decoder, and what of them it keeps as metadata."""

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer until the other end is closed."""
    parent, max_bytes, max_pixels, cpu_seconds = map(int, sys.argv[1:])
    _end_with(parent)
    # Those who end a whole group of processes end the worker, and this one with it.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    _load_decoders(max_pixels)
    _limit_memory(COPIES * max_bytes + BYTES_PER_PIXEL * max_pixels + SPARE_BYTES)
    _serve(max_pixels, cpu_seconds)


def decode(content: bytes, media_type: str, max_pixels: int) -> str:
    """Decode a picture, of an animation the first frame, and say what came of it."""
    from PIL import Image  # noqa: PLC0415  not before the death signal is set

    try:
        with Image.open(BytesIO(content), formats=[FORMATS[media_type]]) as image:
            if image.width * image.height > max_pixels:
                return TOO_LARGE
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return TOO_LARGE
    except MemoryError:
        return TOO_MUCH_MEMORY
    except Exception:  # noqa: BLE001  whatever a decoder lets out, it could not read the picture
        return BROKEN
    return DECODED


def _serve(max_pixels: int, cpu_seconds: int) -> None:
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as line, line.makefile("rb") as pictures:
        while len(head := pictures.read(HEAD.size)) == HEAD.size:
            kind, size = HEAD.unpack(head)
            _limit_time(cpu_seconds)
            word = decode(pictures.read(size), MEDIA_TYPES[kind], max_pixels)
            line.sendall(f"{word}\n".encode())


def _end_with(parent: int) -> None:
    """Let the kernel end this process with the worker's thread that started it, or end now if that is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _load_decoders(max_pixels: int) -> None:
    from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415

    Image.preinit()
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _limit_memory(more: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(FileNotFoundError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(cpu_seconds: int) -> None:
    """Let the kernel end this process when it has worked for so much longer."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + cpu_seconds + 1, hard))


if __name__ == "__main__":
    main()

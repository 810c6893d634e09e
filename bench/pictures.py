"""`python -m bench.pictures`: what decoding in processes of its own costs an ordinary picture, and what it saves.

First one JPEG again and again, through a decoder process and in this one. Then sixteen WebP files of 25 megapixels at
once, each through a thread of its own, and the most memory that this process and its decoders had together.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import psutil
from PIL import Image

from shared.domain.pictures import check_structure, picture
from shared.domain.request import Picture
from workers.jobs.stop import Stop
from workers.pictures.decoder import allowance
from workers.pictures.decoder_process import decode
from workers.pictures.decoders import Decoders

MAX_PIXELS = 25_000_000
ROUNDS = 200
AT_ONCE = 16
SIDE = 5_000
LOOK_SECONDS = 0.02


def main() -> None:
    """Measure and print both."""
    print(f"{os.cpu_count()} cores, load averages before {', '.join(f'{each:.1f}' for each in os.getloadavg())}")
    decoders = Decoders(allowance(MAX_PIXELS), 2 * MAX_PIXELS)
    try:
        _print_costs(decoders)
        _print_memory(decoders)
    finally:
        decoders.close()


def _print_costs(decoders: Decoders) -> None:
    photo = _saved(Image.effect_noise((120, 90), 80).resize((1200, 900)).convert("RGB"), "JPEG", quality=90)
    began = time.perf_counter()
    decoders.check(photo, Stop())
    print(f"JPEG of 1200 x 900, {len(photo.content):,} bytes; the first, which starts a process: {_ms(began):.1f} ms")
    print(f"  in a process of its own: {_mean_ms(lambda: decoders.check(photo, Stop())):.2f} ms")
    print(f"  in this process: {_mean_ms(lambda: decode(photo.content, photo.media_type, MAX_PIXELS)):.2f} ms")
    print(f"  the walk over its file alone: {_mean_ms(lambda: check_structure(photo, MAX_PIXELS)):.3f} ms")


def _print_memory(decoders: Decoders) -> None:
    frames = [Image.new("RGBA", (SIDE, SIDE), colour) for colour in ("red", "green")]
    large = _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    del frames
    over, most = threading.Event(), 0.0

    def watch() -> None:
        nonlocal most
        while not over.wait(LOOK_SECONDS):
            most = max(most, _resident_mb())

    watcher = threading.Thread(target=watch)
    before, began = _resident_mb(), time.perf_counter()
    watcher.start()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: decoders.check(large, Stop()), range(AT_ONCE)))
    over.set()
    watcher.join()
    print(f"{AT_ONCE} WebP of {SIDE} x {SIDE}, {len(large.content):,} bytes, at once: {_ms(began) / 1000:.1f} s,")
    print(f"  at most {most:,.0f} MB in all processes, {before:,.0f} MB before")


def _saved(image: Image.Image, file_format: str, **options: object) -> Picture:
    content = BytesIO()
    image.save(content, file_format, **options)
    return picture(content.getvalue())


def _mean_ms(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(ROUNDS):
        step()
    return _ms(began) / ROUNDS


def _ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _resident_mb() -> float:
    """Add up the resident memory of this process and its children."""
    us = psutil.Process()
    return sum(map(_resident_bytes, (us, *us.children()))) / 1_000_000


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


if __name__ == "__main__":
    main()

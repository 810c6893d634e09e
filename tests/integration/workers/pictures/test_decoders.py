"""Decoding in processes of its own: real ones, and pictures that real encoders made."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from shared.domain.pictures import picture
from shared.domain.request import Picture
from shared.jobs.errors import ImageTooLarge, ImageUnsupported, InternalError
from tests.checkout import CHECKOUT
from tests.freezing import freeze
from tests.integration.costly_jpeg import SIDE, costly_jpeg
from tests.integration.eventually import eventually
from tests.integration.growth import decoder_pids
from workers.jobs.stop import ClaimLost, Stop
from workers.pictures.decoder import Allowance, Decoder
from workers.pictures.decoders import PROCESSES, Decoders

ALLOWED = Allowance(max_pixels=25_000_000, cpu_seconds=60, wall_seconds=110)
PIXELS = 1_200
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")

WORKER = """
import io, signal
from PIL import Image
from shared.domain.pictures import picture
from workers.pictures.decoder import Allowance, Decoder
from workers.jobs.stop import Stop

for each in (signal.SIGTERM, signal.SIGINT):
    signal.signal(each, signal.SIG_DFL)
content = io.BytesIO()
Image.new("L", (9, 9)).save(content, "PNG")
decoder = Decoder(Allowance(1_000, 60, 60))
decoder.decode(picture(content.getvalue()), 81, Stop())
print(decoder.pid, flush=True)
signal.pause()
"""


def drawn(file_format: str, width: int = 40, height: int = 30, **options: Any) -> Picture:
    content = BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(content, file_format, **options)
    return picture(content.getvalue())


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    made = Decoders(ALLOWED, 2 * ALLOWED.max_pixels)
    yield made
    made.close()


@pytest.fixture
def open_decoder() -> Iterator[Callable[[Allowance], Decoder]]:
    made: list[Decoder] = []

    def build(allowed: Allowance = ALLOWED) -> Decoder:
        made.append(Decoder(allowed))
        return made[-1]

    yield build
    for decoder in made:
        decoder.end()


@pytest.fixture
def frozen(decoders: Decoders) -> Decoders:
    """Decoders of which the one that has been needed so far does not go on."""
    decoders.check(drawn("PNG"), Stop())
    (decoder,) = decoder_pids()
    freeze(decoder)
    return decoders


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_picture_that_can_be_decoded_passes(decoders: Decoders, file_format: str) -> None:
    decoders.check(drawn(file_format), Stop())


def test_a_picture_whose_pixels_are_damaged_is_unsupported(decoders: Decoders) -> None:
    whole = drawn("PNG", 400, 300).content
    with pytest.raises(ImageUnsupported, match="broken"):
        decoders.check(picture(whole[:200] + bytes(100) + whole[300:]), Stop())


def test_more_pixels_than_allowed_are_too_large(decoders: Decoders) -> None:
    with pytest.raises(ImageTooLarge):
        decoders.check(drawn("PNG", 5_001, 5_000), Stop())
    assert decoder_pids() == []


def test_more_pixels_than_the_walk_has_found_are_not_decoded(open_decoder: Callable[[Allowance], Decoder]) -> None:
    with pytest.raises(ImageUnsupported):
        open_decoder(ALLOWED).decode(drawn("GIF"), PIXELS - 1, Stop())


def test_a_decoder_serves_again_after_a_picture_that_it_refused(open_decoder: Callable[[Allowance], Decoder]) -> None:
    decoder = open_decoder(ALLOWED)
    damaged = drawn("PNG").content.replace(b"IDAT", b"IDAX")
    for _ in range(3):
        with pytest.raises(ImageUnsupported):
            decoder.decode(picture(damaged), PIXELS, Stop())
        decoder.decode(drawn("PNG"), PIXELS, Stop())


def test_a_picture_that_takes_too_long_is_unsupported(open_decoder: Callable[[Allowance], Decoder]) -> None:
    decoder = open_decoder(Allowance(25_000_000, cpu_seconds=1, wall_seconds=110))
    with pytest.raises(ImageUnsupported, match="takes too long"):
        decoder.decode(picture(costly_jpeg(20_010)), SIDE * SIDE, Stop())
    assert not decoder.is_alive


def test_a_picture_of_too_many_scans_never_reaches_a_decoder(decoders: Decoders) -> None:
    with pytest.raises(ImageUnsupported, match="too many scans"):
        decoders.check(picture(costly_jpeg(20_010)), Stop())
    assert decoder_pids() == []


def test_a_picture_of_as_many_scans_as_are_allowed_passes(decoders: Decoders) -> None:
    decoders.check(picture(costly_jpeg(200)), Stop())


def test_a_decoder_has_bounds_of_memory_and_leaves_no_core(open_decoder: Callable[[Allowance], Decoder]) -> None:
    decoder = open_decoder(ALLOWED)
    decoder.decode(drawn("PNG"), PIXELS, Stop())
    process = psutil.Process(decoder.pid)
    assert 0 < process.rlimit(psutil.RLIMIT_AS)[0] < 200_000_000
    assert process.rlimit(psutil.RLIMIT_CORE)[0] == 0


def test_a_decoder_can_open_nothing(open_decoder: Callable[[Allowance], Decoder]) -> None:
    decoder = open_decoder(ALLOWED)
    decoder.decode(drawn("PNG"), PIXELS, Stop())
    process = psutil.Process(decoder.pid)
    assert [process.rlimit(what) for what in (psutil.RLIMIT_NOFILE, psutil.RLIMIT_FSIZE)] == [(0, 0), (0, 0)]
    assert "NoNewPrivs:\t1" in Path(f"/proc/{decoder.pid}/status").read_text()


def exif() -> bytes:
    written = Image.Exif()
    written[0x010E], written[0x011A], written[0x0128] = "A mat ☃", 300.0, 2
    return written.tobytes()


RICH: dict[str, dict[str, Any]] = {
    "JPEG": {"exif": exif(), "comment": b"\xff", "icc_profile": b"x" * 500},
    "MPO": {"exif": exif(), "save_all": True, "append_images": [Image.new("RGB", (40, 30))]},
    "PNG": {"exif": exif(), "dpi": (300, 300), "save_all": True, "append_images": [Image.new("RGB", (40, 30), "red")]},
    "GIF": {"comment": b"\xff", "save_all": True, "append_images": [Image.new("RGB", (40, 30), "red")]},
    "WEBP": {"exif": exif(), "xmp": b"<x/>", "save_all": True, "append_images": [Image.new("RGB", (40, 30), "red")]},
}


@pytest.mark.parametrize("file_format", RICH)
def test_what_programs_write_along_with_the_pixels_needs_nothing_to_be_opened(
    decoders: Decoders, file_format: str
) -> None:
    decoders.check(drawn(file_format, **RICH[file_format]), Stop())


def test_a_decoder_knows_none_of_our_secrets(
    open_decoder: Callable[[Allowance], Decoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_secret")
    decoder = open_decoder(ALLOWED)
    decoder.decode(drawn("PNG"), PIXELS, Stop())
    assert Path(f"/proc/{decoder.pid}/environ").read_bytes() == b""


def test_a_decoder_that_is_lost_is_not_the_pictures_fault(open_decoder: Callable[[Allowance], Decoder]) -> None:
    decoder = open_decoder(ALLOWED)
    os.kill(decoder.pid, signal.SIGKILL)
    with pytest.raises(InternalError):
        decoder.decode(drawn("PNG"), PIXELS, Stop())


def test_a_decoder_that_died_while_it_was_idle_is_replaced(frozen: Decoders) -> None:
    (decoder,) = decoder_pids()
    os.kill(decoder, signal.SIGKILL)
    eventually(lambda: has_ended(decoder))
    frozen.check(drawn("PNG"), Stop())


def test_decoding_stops_when_its_claim_is_lost(frozen: Decoders) -> None:
    (decoder,) = decoder_pids()
    stop = Stop()
    with ThreadPoolExecutor(1) as pool:
        checking = pool.submit(frozen.check, drawn("PNG"), stop)
        assert wait([checking], 0.2).not_done
        stop.set()
        assert isinstance(checking.exception(60), ClaimLost)
    assert has_ended(decoder)
    frozen.check(drawn("PNG"), Stop())


def test_many_threads_share_a_few_decoders(decoders: Decoders) -> None:
    given = [drawn(file_format) for file_format in FORMATS] * 25
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda each: decoders.check(each, Stop()), given))
    assert 1 <= len(decoder_pids()) <= PROCESSES


def test_closing_ends_them(decoders: Decoders) -> None:
    decoders.check(drawn("PNG"), Stop())
    (decoder,) = decoder_pids()
    decoders.close()
    assert has_ended(decoder)


def test_a_decoder_outlives_the_thread_that_needed_it(decoders: Decoders) -> None:
    thread = threading.Thread(target=decoders.check, args=(drawn("PNG"), Stop()))
    thread.start()
    thread.join()
    before = decoder_pids()
    decoders.check(drawn("PNG"), Stop())
    assert decoder_pids() == before


@contextmanager
def worker_with_decoder() -> Iterator[tuple[int, int]]:
    """Start a process that has a decoder, as the leader of a group; return the ids of both."""
    command = [sys.executable, "-c", WORKER]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, process_group=0) as worker:
        assert worker.stdout is not None
        yield worker.pid, int(worker.stdout.readline())


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_decoder_is_left_of_a_group_that_is_told_to_end(ending: signal.Signals) -> None:
    with worker_with_decoder() as (worker, decoder):
        os.killpg(worker, ending)
        eventually(lambda: has_ended(decoder), 30)


def test_a_decoder_that_hangs_ends_with_its_worker() -> None:
    with worker_with_decoder() as (worker, decoder):
        freeze(decoder)
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: has_ended(decoder), 30)

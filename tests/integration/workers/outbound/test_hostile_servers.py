"""Whatever bytes a server sends, what comes of it is one of our errors, and the next call is as good as the first."""

import gc
import json
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from shared.config import load_settings
from shared.jobs.errors import ImageUnreachable, PictureError, ProviderError
from tests.integration.asking import png
from tests.integration.hostile_bytes import hostile_answers
from tests.integration.model_calls import CAPTION, CHAT, COMPLETION
from tests.integration.raw_server import RawServer, head, raw_server
from workers.outbound.download import ImageTemporarilyUnreachable
from workers.pictures.input import fetch_picture
from workers.providers.call_limits import CallLimits
from workers.providers.groq import GroqProvider
from workers.providers.huggingface import HuggingFaceProvider

# urllib3 leaves the socket of an answer with two lengths to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ANSWERS = 200
SECONDS = 5.0
MAX_BYTES = 10_000_000


class Speaker:
    """A server that says to each request what a test gives it, and hangs up."""

    def __init__(self) -> None:
        self.said = b""
        self.url = ""

    def __call__(self, _: RawServer, connection: socket.socket, __: bytes) -> None:
        # With the last bytes goes the end: a client that saw them without it would call again on this connection.
        connection.sendall(self.said, socket.MSG_MORE)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    said = Speaker()
    with raw_server(said) as server:
        said.url = server.url
        yield said


@pytest.fixture(autouse=True)
def _no_rubbish_for_others() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextmanager
def provider(kind: str, url: str) -> Iterator[Callable[[], object]]:
    made = (GroqProvider if kind == "groq" else HuggingFaceProvider)("key", url, CallLimits(SECONDS, MAX_BYTES))
    yield lambda: made.answer(CHAT if kind == "groq" else CAPTION)
    made.close()


@pytest.mark.parametrize("kind", ["groq", "huggingface"])
def test_a_provider_that_talks_nonsense_is_a_provider_error(speaker: Speaker, kind: str) -> None:
    with provider(kind, speaker.url) as ask:
        for said in hostile_answers(ANSWERS):
            speaker.said = said
            with suppress(ProviderError):
                ask()
        speaker.said = head(len(COMPLETION), headers="Content-Type: application/json\r\n") + COMPLETION
        assert ask()


def fetch(speaker: Speaker) -> None:
    allow = speaker.url.removeprefix("http://")
    environment = {"IMAGE_URL_ALLOW": allow, "IMAGE_DOWNLOAD_TIMEOUT_SECONDS": str(SECONDS)}
    fetch_picture(f"{speaker.url}/cat.png", load_settings(environment))


def test_a_pictures_server_that_talks_nonsense_is_a_picture_error(speaker: Speaker) -> None:
    for said in hostile_answers(ANSWERS):
        speaker.said = said
        with suppress(PictureError):
            fetch(speaker)
    speaker.said = head(len(png(1))) + png(1)
    fetch(speaker)


def test_a_chunk_of_negative_size_makes_a_picture_unreachable_for_good(speaker: Speaker) -> None:
    speaker.said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"
    with pytest.raises(ImageUnreachable) as caught:
        fetch(speaker)
    assert not isinstance(caught.value, ImageTemporarilyUnreachable)


@pytest.mark.parametrize("kind", ["groq", "huggingface"])
def test_a_cookie_that_can_not_be_sent_breaks_no_later_call(speaker: Speaker, kind: str) -> None:
    speaker.said = head(len(COMPLETION), headers="Set-Cookie: \u00ff=\u00ff\r\n") + COMPLETION
    with provider(kind, speaker.url) as ask:
        assert all(ask() for _ in range(2))


@pytest.mark.parametrize("kind", ["groq", "huggingface"])
def test_an_error_in_a_charset_that_is_none_keeps_its_status(speaker: Speaker, kind: str) -> None:
    body = json.dumps({"error": {"message": "No."}}).encode()
    speaker.said = head(len(body), "401 Unauthorized", "Content-Type: application/json; charset=idna\r\n") + body
    with provider(kind, speaker.url) as ask, pytest.raises(ProviderError) as caught:
        ask()
    assert caught.value.code == "provider_unauthorized"

"""Pictures by URL, besieged: hostile addresses, servers and files, each as a job that the worker's runner runs.

Every such job fails with the code that is documented, or the API refuses it. Nobody reaches a canary, which stands at
every address that is not public; no thread stays behind; and neither this process nor its decoders take much memory.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
import requests

from shared.jobs.job import Job, JobStatus
from tests.installation import Installation, installed
from tests.integration.api_client import Api
from tests.integration.asking import accepted, ask_about_url
from tests.integration.eventually import eventually
from tests.integration.fake_provider import LABELS
from tests.integration.growth import decoder_pids, growth
from tests.integration.hostile_addresses import ADDRESSES, NAMES
from tests.integration.hostile_files import FILES, HARMLESS
from tests.integration.hostile_servers import SERVERS, once
from tests.integration.network import Network, network
from tests.integration.raw_server import RawServer, Respond, answer, raw_server
from tests.integration.running import jobs_of
from workers.runner import run_job

SITE = "http://pictures.example"
SHORT_SECONDS = "0.3"
MAX_BYTES = 200_000
MOST_GROWTH = 300 * 1024 * 1024
"""The largest picture that is accepted comes near it: 25 megapixels of 12 bytes."""

WITHOUT_LOOKUP = [words for words, each in ADDRESSES.items() if each.at_the_door]
WITH_LOOKUP = [words for words, each in ADDRESSES.items() if not each.at_the_door]
IN_A_HEADER = [words for words, each in ADDRESSES.items() if each.redirected]


class Site:
    """A public web server of which each test says what it does."""

    def __init__(self) -> None:
        self.respond: Respond = answer(b"")

    def __call__(self, server: RawServer, connection: socket.socket, request: bytes) -> None:
        nothing = answer(b"", "404 Not Found")
        respond = nothing if b"/404 " in request or b"/127.0.0.1" in request else self.respond
        respond(server, connection, request)


class Besieged:
    """An API and a worker in a network of canaries."""

    def __init__(self, installation: Installation, network: Network, site: Site) -> None:
        limits = {"MAX_ATTEMPTS": "1", "MAX_IMAGE_BYTES": str(MAX_BYTES)}
        self.api: Api = installation.open_api(installation.configure(**limits))
        self.api.provider.default = LABELS
        self.network = network
        self.site = site
        self._short = installation.configure(**limits, IMAGE_DOWNLOAD_TIMEOUT_SECONDS=SHORT_SECONDS)

    def end_of(self, url: str, *, hurried: bool = False) -> str:
        """Run a job that has come past the API; return its status, and its code if it failed."""
        worker = self.api.worker
        if hurried:
            worker = replace(worker, services=replace(worker.services, settings=self._short))
        job = accepted(jobs_of(worker), ask_about_url(worker.services.settings, url))
        run_job(job.id, worker)
        return end(jobs_of(worker).get(job.id))

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Check that the block reaches no canary and no provider, leaves no thread, and takes little memory."""
        self.network.forget()
        self.api.provider.calls.clear()
        with growth() as grown:
            yield
            eventually(lambda: not outside_calls(), 20)
        assert (self.network.visits, self.api.provider.calls) == (0, [])
        assert grown.total < MOST_GROWTH


def end(job: Job) -> str:
    return job.failure.code if job.failure else job.status.value


def outside_calls() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "outside-call"]


@pytest.fixture(scope="module")
def besieged() -> Iterator[Besieged]:
    site = Site()
    with ExitStack() as stack:
        port = stack.enter_context(raw_server(site)).port
        silent = stack.enter_context(raw_server(once(b""))).port
        plain = stack.enter_context(raw_server(once(b"HTTP/1.1 200 OK\r\n\r\n"), greets=True)).port
        routes = {("8.8.8.8", 80): port, ("8.8.4.4", 443): silent, ("9.9.9.9", 443): plain}
        made = stack.enter_context(network(NAMES, routes))
        yield Besieged(stack.enter_context(installed(Installation)), made, site)


@pytest.mark.parametrize("words", WITHOUT_LOOKUP)
def test_the_api_refuses(besieged: Besieged, words: str) -> None:
    with besieged.unharmed():
        response = besieged.api.post({"task_type": "image_classification", "input": ADDRESSES[words].url})
    assert (response.status_code, response.json["errors"][0]["pointer"]) == (422, "/input")


@pytest.mark.parametrize("words", WITH_LOOKUP)
def test_the_api_accepts_and_the_worker_refuses(besieged: Besieged, words: str) -> None:
    with besieged.unharmed():
        response = besieged.api.post({"task_type": "image_classification", "input": ADDRESSES[words].url})
        job = besieged.api.run(response)
    assert (response.status_code, job["status"], job["error"]["code"]) == (202, "failed", ADDRESSES[words].code)


@pytest.mark.parametrize("words", WITHOUT_LOOKUP)
def test_the_worker_refuses_too(besieged: Besieged, words: str) -> None:
    with besieged.unharmed():
        assert besieged.end_of(ADDRESSES[words].url) == ADDRESSES[words].code


@pytest.mark.parametrize("words", IN_A_HEADER)
def test_the_worker_follows_no_redirect_to(besieged: Besieged, words: str) -> None:
    location = ADDRESSES[words].url.encode().decode("latin-1")
    besieged.site.respond = once(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode("latin-1"))
    with besieged.unharmed():
        assert besieged.end_of(f"{SITE}/redirect") == ADDRESSES[words].redirected


@pytest.mark.parametrize("words", SERVERS)
def test_a_job_fails_when_its_server(besieged: Besieged, words: str) -> None:
    server = SERVERS[words]()
    besieged.site.respond = server.respond
    with besieged.unharmed():
        assert besieged.end_of(f"{SITE}/{words.replace(' ', '-')}", hurried=server.hurried) == server.code


@pytest.mark.parametrize("host", ["silent.example", "plain.example"])
def test_a_job_fails_when_its_server_should_speak_tls_and_does_not(besieged: Besieged, host: str) -> None:
    with besieged.unharmed():
        assert besieged.end_of(f"https://{host}/cat.png", hurried=True) == "image_unreachable"


def test_a_job_does_not_wait_for_a_name_server_that_does_not_answer(besieged: Besieged) -> None:
    with besieged.unharmed():
        assert besieged.end_of("http://unanswered.example/cat.png", hurried=True) == "image_unreachable"
        # The lookup is the system's, and can't be ended from here.
        besieged.network.answering.set()


@pytest.mark.parametrize("words", FILES)
def test_a_job_fails_when_its_picture_is(besieged: Besieged, words: str) -> None:
    made, code = FILES[words]
    besieged.site.respond = answer(made(), headers="Content-Type: image/png\r\n")
    with besieged.unharmed():
        assert besieged.end_of(f"{SITE}/{words.replace(' ', '-')}") == code


@pytest.mark.parametrize("words", HARMLESS)
def test_a_job_completes_when_its_picture_is(besieged: Besieged, words: str) -> None:
    besieged.site.respond = answer(HARMLESS[words]())
    with growth() as grown:
        assert besieged.end_of(f"{SITE}/{words.replace(' ', '-')}") == JobStatus.COMPLETED.value
    assert grown.total < MOST_GROWTH
    assert decoder_pids()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_canary_sees_a_client_that_is_not_guarded(besieged: Besieged, host: str) -> None:
    besieged.network.forget()
    assert requests.get(f"http://{host}/cat.png", timeout=20).content
    assert besieged.network.visits == 1

"""Commands for a service that asks for keys."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from cli.main import main
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.key_world import KeyWorld, bearer


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


@contextmanager
def served(api: Api) -> Iterator[str]:
    """Serve an API over HTTP; yield its address."""
    server = make_server("127.0.0.1", 0, api.http.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_key_comes_from_the_environment(
    world: KeyWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = world.key("read")
    with served(world.api) as url:
        without = main(["stats", "--url", url])
        told = capsys.readouterr().err
        monkeypatch.setenv("ASKONCE_KEY", key)
        assert (without, main(["stats", "--url", url])) == (4, 0)
    assert "Set ASKONCE_KEY in the environment or .env; `askonce keys create NAME` makes a key." in told


def test_a_scope_that_is_missing_is_4_and_named(world: KeyWorld, capsys: pytest.CaptureFixture[str]) -> None:
    with served(world.api) as url:
        code = main(["purge", "--task", "chat", "--dry-run", "--url", url, "--key", world.key("predict", "read")])
    told = capsys.readouterr().err
    assert code == 4
    assert re.search(r"scope \W?cache", told)


def test_an_admin_sees_one_tenant(world: KeyWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.api.post(a_body(), **bearer(world.key(tenant="acme")))
    admin = world.key("admin")
    with served(world.api) as url:
        found = []
        for tenant in ("acme", "bolt"):
            assert main(["jobs", "--tenant", tenant, "--json", "--url", url, "--key", admin]) == 0
            found.append(len(json.loads(capsys.readouterr().out)))
    assert found == [1, 0]

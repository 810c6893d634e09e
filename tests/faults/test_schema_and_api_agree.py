"""schemathesis asks what the OpenAPI document says can be asked, and what it says can't; `make fuzz` goes on longer."""

from collections.abc import Callable

from shared.domain.request import SCOPES
from tests.api_process import ApiProcess
from tests.fuzz.openapi import command, fuzz
from tests.installation import Installation
from tests.integration.key_world import KeyWorld

SEED = 1


def test_the_api_does_what_its_document_says(shared_process: ApiProcess) -> None:
    bounded = ("--phases", "examples,fuzzing,stateful", "--max-examples", "6", "--no-shrink")
    done = fuzz(command(shared_process.url, SEED, *bounded))
    assert done.returncode == 0, done.stdout + done.stderr


def test_with_keys_it_does_so_too_and_lets_nobody_in_without_one(
    open_process: Callable[..., ApiProcess], installation: Installation
) -> None:
    world = KeyWorld(installation)
    keys = [world.key(scope) for scope in SCOPES]
    bounded = ("--phases", "fuzzing", "--max-examples", "4", "--no-shrink")
    done = fuzz(command(open_process(AUTH="on").url, SEED, *bounded), keys)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_key_is_sent_with_every_call() -> None:
    assert command("http://a", SEED, headers={"X-API-Key": "ak_1"})[-2:] == ["--header", "X-API-Key: ak_1"]

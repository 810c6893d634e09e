"""schemathesis asks what the OpenAPI document says can be asked, and what it says can't; `make fuzz` goes on longer."""

from tests.api_process import ApiProcess
from tests.fuzz.openapi import command, fuzz

SEED = 1


def test_the_api_does_what_its_document_says(shared_process: ApiProcess) -> None:
    bounded = ("--phases", "examples,fuzzing,stateful", "--max-examples", "8", "--no-shrink")
    done = fuzz(command(shared_process.url, SEED, *bounded))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_key_is_sent_with_every_call() -> None:
    assert command("http://a", SEED, headers={"X-API-Key": "ak_1"})[-2:] == ["--header", "X-API-Key: ak_1"]

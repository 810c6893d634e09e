"""Limits of requests per minute, as clients meet them."""

import re

import pytest

from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.key_world import KeyWorld


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


def test_a_key_may_ask_as_often_as_its_limit_says(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=3)
    statuses = [world.api.post(a_body(), **client).status_code for _ in range(5)]
    assert statuses == [202, 202, 202, 429, 429]


def test_a_refusal_names_the_limit_and_says_when_to_come_back(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=1)
    world.api.post(a_body(), **client)
    response = world.api.post(a_body(), **client)
    problem = response.json
    assert (response.status_code, problem["code"], problem["violated-policies"]) == (429, "quota_exceeded", ["rpm"])
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_responses_say_how_many_requests_are_left(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=20)
    world.api.post(a_body(), **client)
    headers = world.api.post(a_body(), **client).headers
    assert headers["RateLimit-Policy"] == '"rpm";q=20;w=60'
    assert re.fullmatch(r'"rpm";r=18;t=(5[0-9]|60)', headers["RateLimit"])
    assert headers["x-ratelimit-remaining-requests"] == "18"

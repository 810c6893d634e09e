"""Whether another tenant has asked the same can't be told by time: the same round trips are made as if nobody had."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.front_client import FrontClient, fronts, json_call
from tests.integration.tenants import Tenants

pytestmark = pytest.mark.usefixtures("patient_tiers")

COUNT_OF_QUEUED = "AS queued"
"""In a statement that is due once a second, whoever asks."""

OF_CONNECTING = ("cmdstat_auth", "cmdstat_client", "cmdstat_hello", "cmdstat_select")
"""Commands of a new connection in a pool, which any call may need."""

WAYS = {"fast path": 0, "Flask": 1}
Commands = Callable[[], Counter[str]]


@pytest.fixture
def tenants(installation: Installation) -> Tenants:
    return Tenants(installation, DATABASE_URL=installation.heard.url)


def forget_in_memcached(tenants: Tenants, body: dict[str, Any]) -> None:
    answer = tenants.ask(tenants.a, body).json
    name = f"askonce:answer:acme:{answer['task_type']}:{answer['cache']['key']}"
    assert tenants.api.services.cache.l1.delete([name]) == 1


def asked_by_nobody(_: Tenants) -> dict[str, Any]:
    return a_body()


def held_by_both_tiers(tenants: Tenants) -> dict[str, Any]:
    return tenants.answered(tenants.a)[0]


def held_by_redis(tenants: Tenants) -> dict[str, Any]:
    body, _ = tenants.answered(tenants.a)
    forget_in_memcached(tenants, body)
    return body


def in_flight(tenants: Tenants) -> dict[str, Any]:
    body = a_body()
    assert tenants.ask(tenants.a, body).status_code == 202
    return body


def without_counts(heard: Iterable[str]) -> Iterator[str]:
    """Return how each statement begins, but for transactions that count what is queued."""
    counting = False
    for said in heard:
        begins = said.split("; ")[-1].split("(")[0].strip()
        if COUNT_OF_QUEUED in said:
            counting = True
        elif counting and begins == "COMMIT":
            counting = False
        else:
            yield begins


class Watched:
    """What both tiers and PostgreSQL are asked while the other tenant asks."""

    def __init__(self, tenants: Tenants, front: FrontClient, commands: Commands) -> None:
        self._tenants, self._front, self._commands = tenants, front, commands

    def ask(self, body: dict[str, Any], **headers: str) -> tuple[int, dict[str, int], list[str]]:
        """Return the status, the commands by name, and how each statement begins."""
        call = json_call(json.dumps(body).encode(), **self._tenants.b, **headers)
        statuses: list[int] = []
        before = self._commands()
        heard = self._tenants.installation.heard.during(lambda: statuses.append(self._front.call(call).status))
        commands = {name: count for name, count in (self._commands() - before).items() if name not in OF_CONNECTING}
        return statuses[0], commands, list(without_counts(heard))


@pytest.mark.parametrize("headers", [{}, {"cache_control": "only-if-cached"}], ids=["a job", "only if cached"])
@pytest.mark.parametrize("way", WAYS)
def test_what_another_tenant_asked_takes_the_round_trips_of_what_nobody_asked(
    tenants: Tenants, commands: Commands, way: str, headers: dict[str, str]
) -> None:
    with fronts(tenants.api.services) as both:
        watched = Watched(tenants, both[WAYS[way]], commands)
        watched.ask(a_body())  # opens connections
        found = {
            make.__name__: watched.ask(make(tenants), **headers)
            for make in (asked_by_nobody, held_by_both_tiers, held_by_redis, in_flight)
        }
    status, asked, statements = found["asked_by_nobody"]
    assert (status, bool(statements)) == ((504, False) if headers else (202, True))
    assert asked.keys() >= {"cmd_get", "cmdstat_get"}
    assert [name for name, seen in found.items() if seen != found["asked_by_nobody"]] == [], found

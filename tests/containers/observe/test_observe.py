"""Prometheus and Grafana, as `docker compose --profile observe up` adds them."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from tests.containers.containers import ROOT, Containers
from tests.stack import eventually

ADDED = ("prometheus", "grafana")
PROXY = "/api/datasources/proxy/uid/prometheus/api/v1"
BOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/boards/askonce.json").read_text())
QUERIES = [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])]
EMPTY_WHEN_ALL_IS_WELL = re.compile(r'> 0$|ALERTS|outcome="error"|askonce_provider_limit')


class Prometheus:
    """Prometheus, asked as Grafana's pages ask it."""

    def __init__(self, containers: Containers) -> None:
        self._containers = containers
        self._auth = with_password(containers)

    def ask(self, path: str, **parameters: str | float) -> Any:
        """Return what it finds; fail when it refuses the question."""
        reply = grafana(self._containers, f"{PROXY}/{path}", params=parameters, auth=self._auth)
        assert reply.ok, reply.text
        return reply.json()["data"]


@pytest.fixture(scope="module")
def observed(running: Containers) -> Iterator[Containers]:
    containers = replace(running, profiles=("simulator", "observe"))
    containers.compose("up", "--detach", "--wait", "--wait-timeout", "180", *ADDED)
    yield containers
    containers.compose("rm", "--stop", "--force", *ADDED)


def promtool(containers: Containers, *arguments: str) -> str:
    """Run the promtool of the image that compose names; fail with it when it fails."""
    run = ("run", "--rm", "--no-deps", "--entrypoint", "promtool", "prometheus")
    return containers.compose(*run, *arguments)


def grafana(containers: Containers, path: str, **kwargs: Any) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{containers.ports['GRAFANA_PORT']}{path}", timeout=10, **kwargs)


def with_password(containers: Containers) -> tuple[str, str]:
    return "admin", containers.read("grafana", "/run/askonce/grafana/password")


def test_the_alerts_pass_their_tests(observed: Containers) -> None:
    promtool(observed, "check", "rules", "/etc/prometheus/alerts.yml")
    promtool(observed, "check", "config", "--syntax-only", "/etc/prometheus/prometheus.yml")
    promtool(observed, "test", "rules", "/etc/prometheus/alerts.test.yml")


@pytest.mark.parametrize("service", ADDED)
def test_they_have_no_rights_and_bounded_means(observed: Containers, service: str) -> None:
    (container,) = observed.ids(service)
    found = observed.inspect(container)
    given = found["HostConfig"]
    assert found["Config"]["User"].split(":")[0] not in {"", "root", "0"}
    assert (given["ReadonlyRootfs"], given["CapDrop"], given["CapAdd"]) == (True, ["ALL"], None)
    assert given["SecurityOpt"] == ["no-new-privileges:true"]
    assert all(given[limit] > 0 for limit in ("Memory", "NanoCpus", "PidsLimit"))


def test_only_grafana_is_published_and_only_here(observed: Containers) -> None:
    services = json.loads(observed.compose("config", "--format", "json"))["services"]
    assert "ports" not in services["prometheus"]
    assert {port["host_ip"] for port in services["grafana"]["ports"]} == {"127.0.0.1"}


def test_grafana_asks_for_the_password_and_has_the_board(observed: Containers) -> None:
    assert grafana(observed, "/api/dashboards/uid/askonce").status_code == 401
    board = grafana(observed, "/api/dashboards/uid/askonce", auth=with_password(observed)).json()
    assert (board["dashboard"]["title"], board["meta"]["provisioned"]) == ("AskOnce", True)


def test_prometheus_reads_the_api_and_every_worker(observed: Containers) -> None:
    prometheus = Prometheus(observed)

    def healthy() -> list[str]:
        targets = prometheus.ask("targets")["activeTargets"]
        return sorted(target["labels"]["job"] for target in targets if target["health"] == "up")

    eventually(lambda: healthy() == ["askonce-api", *["askonce-workers"] * 3])


def test_every_alert_is_evaluated(observed: Containers) -> None:
    prometheus = Prometheus(observed)

    def evaluated() -> set[str]:
        return {rule["health"] for group in prometheus.ask("rules")["groups"] for rule in group["rules"]}

    eventually(lambda: evaluated() == {"ok"})


def test_every_query_of_the_board_is_answered(observed: Containers) -> None:
    prometheus = Prometheus(observed)

    def shown(query: str) -> bool:
        filled_in = query.replace("$__rate_interval", "1m").replace("$__range", "3h")
        now = time.time()
        found = prometheus.ask("query_range", query=filled_in, start=now - 600, end=now, step=15)
        return bool(found["result"]) or EMPTY_WHEN_ALL_IS_WELL.search(query) is not None

    observed.predict({"task_type": "sentiment", "input": "I like boards."}, headers={"Prefer": "wait=20"})
    eventually(lambda: all(map(shown, QUERIES)))


def test_an_alert_fires_while_a_queue_has_no_worker(observed: Containers) -> None:
    prometheus = Prometheus(observed)

    def fires() -> bool:
        alerts = prometheus.ask("alerts")["alerts"]
        firing = [alert["labels"] for alert in alerts if alert["state"] == "firing"]
        return any((each["alertname"], each.get("queue")) == ("AskOnceNoWorker", "image") for each in firing)

    observed.compose("stop", "worker-image")
    try:
        eventually(fires, timeout=300)
    finally:
        observed.compose("up", "--detach", "worker-image")
    eventually(lambda: not fires(), timeout=300)

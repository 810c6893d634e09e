"""Prometheus and Grafana, as `docker compose --profile observe up` adds them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from tests.containers.containers import Containers
from tests.stack import eventually

ADDED = ("prometheus", "grafana")


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
    path, auth = "/api/datasources/proxy/uid/prometheus/api/v1/targets", with_password(observed)

    def healthy() -> list[str]:
        targets = grafana(observed, path, auth=auth).json()["data"]["activeTargets"]
        return sorted(target["labels"]["job"] for target in targets if target["health"] == "up")

    eventually(lambda: healthy() == ["askonce-api", *["askonce-workers"] * 3])

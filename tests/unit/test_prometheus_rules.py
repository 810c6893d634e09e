"""The alerts speak of metrics that exist; Flower's are those of the version that is locked."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import metric_names
import pytest
import yaml
from prometheus_client import REGISTRY, generate_latest

import celeryconfig
from workers.process.flower import WorkerMetrics

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus-rules.yml").read_text())["groups"][0]["rules"]

HEARTBEAT = {"processed": 7, "pixels_decoding": 5, "answers_too_large": 3}
OF_HEARTBEATS = ("askonce_worker_messages_taken", "askonce_worker_pixels_decoding", "askonce_worker_answers_too_large")


@pytest.fixture(scope="module")
def of_flower() -> Iterator[WorkerMetrics]:
    with metric_names.flowers_metrics() as metrics:
        yield metrics


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_speaks_of_metrics_that_exist(rule: dict[str, Any], of_flower: WorkerMetrics) -> None:
    named = set(re.findall(r"\b(?:askonce|flower)_[a-z_]+", re.sub(r'"[^"]*"', "", rule["expr"])))
    flowers = metric_names.of_flower(of_flower)
    known = metric_names.of_the_api() | flowers | {f"{name}_total" for name in flowers}
    assert named - known == set()
    assert named or "up{" in rule["expr"]


def test_the_alert_on_sweeps_watches_the_workers_that_beat_sends_them_to() -> None:
    (rule,) = (rule for rule in RULES if rule["alert"] == "AskOnceNoSweep")
    assert f'worker=~"{celeryconfig.beat_schedule["sweep_jobs"]["options"]["queue"]}@.+"' in rule["expr"]


def test_a_worker_that_is_gone_is_gone_from_flowers_metrics(of_flower: WorkerMetrics) -> None:
    of_flower.observe_worker("text@host-000000", {"type": "worker-heartbeat", "active": 0, **HEARTBEAT})
    shown = generate_latest(REGISTRY).decode()
    of_flower.remove_workers({"text@host-000000"})
    for name, value in zip(OF_HEARTBEATS, HEARTBEAT.values(), strict=True):
        assert f'{name}{{worker="text@host-000000"}} {value}.0' in shown
    assert "text@host-000000" not in generate_latest(REGISTRY).decode()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_is_explained(rule: dict[str, Any]) -> None:
    assert f"`{rule['alert']}`" in (ROOT / "docs/operations.md").read_text()

"""The alerts speak of metrics that exist; Flower's are those of the version that is locked."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from flower.events import get_prometheus_metrics
from prometheus_client.parser import text_string_to_metric_families

import celeryconfig
from shared.bootstrap import build_services
from shared.config import load_settings

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus-rules.yml").read_text())["groups"][0]["rules"]


def our_metrics() -> set[str]:
    services = build_services(load_settings({}))
    services.metrics.count_request("chat", "miss", 202, 1.0)
    families = text_string_to_metric_families(services.metrics.render().decode())
    return {sample.name for family in families for sample in family.samples}


def flowers_metrics() -> set[str]:
    metrics = get_prometheus_metrics()
    return {
        family.name for metric in vars(metrics).values() if hasattr(metric, "describe") for family in metric.describe()
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_speaks_of_metrics_that_exist(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\b(?:askonce|flower)_[a-z_]+", re.sub(r'"[^"]*"', "", rule["expr"])))
    known = our_metrics() | flowers_metrics() | {f"{name}_total" for name in flowers_metrics()}
    assert named - known == set()
    assert named or "up{" in rule["expr"]


def test_the_alert_on_sweeps_names_the_task_that_beat_sends() -> None:
    (rule,) = (rule for rule in RULES if rule["alert"] == "AskOnceNoSweep")
    assert celeryconfig.beat_schedule["sweep_jobs"]["task"] in rule["expr"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_is_explained(rule: dict[str, Any]) -> None:
    assert f"`{rule['alert']}`" in (ROOT / "docs/operations.md").read_text()

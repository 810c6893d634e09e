"""Metrics, their table, the alerts on them and the board: each names only what the others have."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import metric_names
import pytest
import yaml
from metric_names import Series
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from workers.process.flower import WorkerMetrics

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
TESTS: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]
RUNBOOK = (ROOT / "docs/alerts.md").read_text()
BOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/boards/askonce.json").read_text())
EVERYWHERE, OF_THE_API, OF_A_WORKER, OF_ALL = (
    *("Of every process", "Of the API", "Of a worker", "Of the installation"),
)


@cache
def table() -> dict[str, dict[str, Series]]:
    """Return the metrics of each section of the page."""
    sections = re.split(r"^## ", (ROOT / "docs/metrics.md").read_text(), flags=re.MULTILINE)[1:]
    return {section.partition("\n")[0]: dict(map(row, rows(section))) for section in sections}


def rows(section: str) -> list[str]:
    return [line for line in section.splitlines() if line.startswith("| `askonce_")]


def row(line: str) -> tuple[str, Series]:
    name, type_, labels, meaning = (cell.strip() for cell in line.strip("|").split("|"))
    assert meaning
    return name.strip("`"), Series(type_, frozenset(re.findall(r"`(\w+)`", labels)))


@cache
def known() -> set[str]:
    """Return the names of all samples that anybody exports."""
    return {sample for name, series in metric_names.of_all().items() for sample in series.samples(name)}


def named(expression: str) -> set[str]:
    """Return the metrics that a query names."""
    return set(re.findall(r"\baskonce_[a-z_]+", re.sub(r'"[^"]*"', "", expression)))


def test_the_table_has_what_the_api_exports_with_type_and_labels() -> None:
    assert table()[EVERYWHERE] | table()[OF_THE_API] == metric_names.of_the_api()


def test_the_table_has_what_a_worker_exports_with_type_and_labels() -> None:
    assert table()[EVERYWHERE] | table()[OF_A_WORKER] == metric_names.of_a_worker()


def test_the_table_has_what_maintenance_exports_with_type_and_labels() -> None:
    assert table()[OF_ALL] == metric_names.of_the_installation()


def test_names_follow_the_conventions() -> None:
    for name, series in metric_names.of_all().items():
        assert name.startswith("askonce_")
        assert name.endswith("_total") == (series.type == "counter")
        assert not re.search(r"_(ms|milliseconds|minutes|kb|percent)(_|$)", name), "base units"
        assert series.type != "histogram" or name.endswith("_seconds")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_speaks_of_metrics_that_exist(rule: dict[str, Any]) -> None:
    assert named(rule["expr"]) - known() == set()
    assert named(rule["expr"]) or "up{" in rule["expr"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_a_section_that_says_what_to_do(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    assert rule["annotations"]["runbook"] == f"docs/alerts.md#{name.lower()}"
    section = re.search(rf"^## {name}\n\n(.+?)(?=\n## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert len(section[1].split()) >= 10, "says something"


def test_the_page_explains_no_alert_that_is_not_there() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_tested_with_series_that_exist(rule: dict[str, Any]) -> None:
    of_rule = [test for test in TESTS if rule["alert"] in json.dumps(test)]
    assert of_rule
    series = {each["series"].partition("{")[0] for test in of_rule for each in test["input_series"]}
    assert series - known() - {"up"} == set()


def test_prometheus_asks_the_ports_that_workers_listen_at() -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    (workers,) = (job for job in jobs if job["job_name"] == "askonce-workers")
    asked = {each["names"][0]: each["port"] for each in workers["dns_sd_configs"]}
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    first = int(services["worker-text"]["environment"]["WORKER_METRICS_PORT"])
    assert asked == {"worker-text": first, "worker-image": first + 1, "worker-maintenance": first + 2}


def queries() -> list[str]:
    return [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])]


@pytest.mark.parametrize("query", queries())
def test_the_board_shows_metrics_that_exist(query: str) -> None:
    assert named(query) or "ALERTS{" in query
    assert named(query) - known() == set()


def test_the_board_can_be_provisioned() -> None:
    assert BOARD["uid"] == "askonce"
    assert BOARD["id"] is None
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    sources = yaml.safe_load((ROOT / "deploy/grafana/datasources/prometheus.yml").read_text())["datasources"]
    (source,) = {json.dumps(panel["datasource"]) for panel in BOARD["panels"] if "datasource" in panel}
    assert json.loads(source) == {"type": sources[0]["type"], "uid": sources[0]["uid"]}


def test_the_boards_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_a_worker_that_is_gone_is_gone_from_flowers_metrics() -> None:
    of_flower = WorkerMetrics()
    try:
        of_flower.observe_worker("text@host-000000", {"type": "worker-heartbeat", "active": 0, "processed": 7})
        shown = generate_latest(REGISTRY).decode()
        of_flower.remove_workers({"text@host-000000"})
        assert 'askonce_worker_messages_taken{worker="text@host-000000"} 7.0' in shown
        assert "text@host-000000" not in generate_latest(REGISTRY).decode()
    finally:
        for metric in vars(of_flower).values():
            if isinstance(metric, MetricWrapperBase):
                REGISTRY.unregister(metric)

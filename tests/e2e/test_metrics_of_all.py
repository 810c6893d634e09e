"""What the running stack counts, at one address."""

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.stack import Stack, eventually

QUEUES = ("text", "image", "maintenance")


def samples(stack: Stack, name: str) -> list[dict[str, str]]:
    """Return the labels of the samples of this name that are not 0."""
    text = requests.get(stack.url("/metrics/all"), timeout=30).text
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return [dict(sample.labels) for sample in found if sample.name == name and sample.value]


def test_a_job_shows_in_the_metrics_of_the_worker_that_ran_it(stack: Stack) -> None:
    stack.predict({"task_type": "sentiment", "input": "Counted once."}, headers={"Prefer": "wait=30"})

    def queues() -> set[str]:
        ended = samples(stack, "askonce_jobs_ended_total")
        return {each["worker"].partition("@")[0] for each in ended if each["task_type"] == "sentiment"}

    eventually(lambda: queues() == {"text"}, 30)
    assert samples(stack, "askonce_provider_calls_total")


def test_maintenance_counts_its_rounds_and_the_workers(stack: Stack) -> None:
    eventually(lambda: len(samples(stack, "askonce_maintenance_rounds_total")) == 4, 30)
    eventually(lambda: {each["queue"] for each in samples(stack, "askonce_workers_alive")} == set(QUEUES), 30)

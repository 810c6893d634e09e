"""Counts and durations, as Prometheus reads them."""

from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from shared.metrics.series import Counts, Durations


def written(collector: Collector) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode().splitlines()


def test_counts_are_kept_by_the_values_of_their_labels() -> None:
    counts = Counts("calls", "Calls.", ("model", "outcome"))
    counts.add("small", "answered")
    counts.add("small", "answered", amount=2.5)
    counts.add("large", "rate_limited")
    assert written(counts) == [
        "# HELP calls_total Calls.",
        "# TYPE calls_total counter",
        'calls_total{model="small",outcome="answered"} 3.5',
        'calls_total{model="large",outcome="rate_limited"} 1.0',
    ]


def test_a_duration_is_in_every_bucket_that_is_not_below_it() -> None:
    durations = Durations("call_seconds", "Time.", (0.5, 1.0), ("model",))
    for seconds in (0.25, 0.5, 0.75, 2.0):
        durations.add(seconds, "small")
    assert written(durations) == [
        "# HELP call_seconds Time.",
        "# TYPE call_seconds histogram",
        'call_seconds_bucket{le="0.5",model="small"} 2.0',
        'call_seconds_bucket{le="1.0",model="small"} 3.0',
        'call_seconds_bucket{le="+Inf",model="small"} 4.0',
        'call_seconds_count{model="small"} 4.0',
        'call_seconds_sum{model="small"} 3.5',
    ]


def test_nothing_is_lost_among_threads() -> None:
    counts, durations = Counts("calls", "Calls."), Durations("call_seconds", "Time.", (1.0,))

    def add(_: int) -> None:
        counts.add()
        durations.add(0.5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(2000)))
    assert "calls_total 2000.0" in written(counts)
    assert "call_seconds_count 2000.0" in written(durations)

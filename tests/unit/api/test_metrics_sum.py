from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.metrics_sum import counts, families, total


def written(number: int) -> bytes:
    """The metrics of a process, as its client library writes them."""
    registry = CollectorRegistry()
    Counter("calls", "Calls.", ["outcome"], registry=registry).labels("hit").inc(number)
    Gauge("waiting", "Waiting.", registry=registry).set(number)
    Gauge("askonce_background_failing", "Failing.", ["loop"], registry=registry).labels("listener").set(number % 2)
    Histogram("latency", "Latency.", buckets=[1, 2], registry=registry).observe(1.5)
    return generate_latest(registry)


def samples(text: bytes) -> dict[str, float]:
    lines = (line.rsplit(" ", 1) for line in text.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def test_counts_and_what_is_held_are_added_and_a_state_is_true_when_one_says_so() -> None:
    found = samples(total(family for number in (1, 2, 3) for family in families(written(number))))
    assert found == {
        'calls_total{outcome="hit"}': 6.0,
        "waiting": 6.0,
        'askonce_background_failing{loop="listener"}': 1.0,
        'latency_bucket{le="1.0"}': 0.0,
        'latency_bucket{le="2.0"}': 3.0,
        'latency_bucket{le="+Inf"}': 3.0,
        "latency_count": 3.0,
        "latency_sum": 4.5,
    }


def test_a_sum_can_be_added_up_again() -> None:
    once = total(families(written(1)))
    assert samples(total([*families(once), *families(written(2))])) == samples(
        total([*families(written(1)), *families(written(2))])
    )


def test_only_counts_outlive_their_process() -> None:
    assert {family.name for family in counts(written(1))} == {"calls", "latency"}

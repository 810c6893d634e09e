"""One measurement of one contender."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bench.cores import Busy, Cores, alone, cpu_seconds
from bench.load import run_load
from bench.traffic import Load, Traffic

SLICES = 6
WARM_SHARE = 1 / 6
"""How long each is loaded before it is measured, as a share of what is measured then."""


@dataclass(frozen=True, slots=True)
class Target:
    """A program and what it is asked."""

    pid: int
    traffic: Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What it came to; None for what was not measured.

    `cpu_us`: microseconds of a core that the program under test took per request, job or call. `load_busy`: how busy
    the busiest core was on which everything else ran; close to 1, the rate is not the server's alone.
    """

    rate: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    load_busy: float | None = None


Samples = dict[str, Sample]
"""By contender."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a round does for some contenders; `names` are those whose samples it returns."""

    names: tuple[str, ...]
    measure: Callable[[], Samples]


@dataclass(frozen=True, slots=True)
class _Measured:
    load: Load
    cpu_seconds: float
    load_busy: float


def sample_of(cores: Cores, pid: int, load: Callable[[], Load]) -> Sample:
    """Put a program on the server's core, load it, and return what that came to."""
    return _sample([_measure(cores, pid, load)])


def samples_in_turn(cores: Cores, targets: Mapping[str, Callable[[], Target]], seconds: float) -> Samples:
    """Load some targets in turn, a slice at a time, for so many seconds each: what changes meanwhile meets all alike.

    Each is made anew for each slice.
    """
    measured: dict[str, list[_Measured]] = {name: [] for name in targets}
    for _ in range(SLICES):
        for name, target in targets.items():
            found = target()
            run_load(found.traffic, seconds / SLICES * WARM_SHARE)
            measured[name].append(_measure(cores, found.pid, partial(run_load, found.traffic, seconds / SLICES)))
    return {name: _sample(slices) for name, slices in measured.items()}


def _measure(cores: Cores, pid: int, load: Callable[[], Load]) -> _Measured:
    with alone(cores, pid):
        busy, before = Busy(cores.rest), cpu_seconds(pid)
        seen = load()
        return _Measured(seen, cpu_seconds(pid) - before, busy.share())


def _sample(slices: Sequence[_Measured]) -> Sample:
    seconds = sum(each.load.seconds for each in slices)
    load = Load(seconds, sorted(latency for each in slices for latency in each.load.latencies_ms))
    return Sample(
        rate=load.rate,
        p50_ms=load.percentile(0.5),
        p99_ms=load.percentile(0.99),
        cpu_us=sum(each.cpu_seconds for each in slices) / load.requests * 1e6,
        load_busy=sum(each.load_busy * each.load.seconds for each in slices) / seconds,
    )

"""One measurement of one contender."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.cores import Busy, Cores, alone, cpu_seconds
from bench.traffic import Load


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


def sample_of(cores: Cores, pid: int, load: Callable[[], Load]) -> Sample:
    """Put a program on the server's core, load it, and return what that came to."""
    with alone(cores, pid):
        busy, before = Busy(cores.rest), cpu_seconds(pid)
        seen = load()
        taken, share = cpu_seconds(pid) - before, busy.share()
    return Sample(
        rate=seen.rate,
        p50_ms=seen.percentile(0.5),
        p99_ms=seen.percentile(0.99),
        cpu_us=taken / seen.requests * 1e6,
        load_busy=share,
    )

"""One interleaved run: every round measures each contender once, in turn."""

import sys
from collections import defaultdict

from bench.arena import Arena
from bench.load import WrongAnswer
from bench.peers.environment import PeerUnavailable
from bench.table.hits import hit_steps
from bench.table.jobs import job_steps
from bench.table.round_trips import round_trip_steps
from bench.table.samples import Sample, Step

Rounds = dict[str, list[Sample]]
"""By contender, a sample of each round."""


def run_rounds(arena: Arena, wanted: set[str], rounds: int, seconds: float) -> tuple[Rounds, dict[str, str]]:
    """Measure these contenders; return their samples, and by name why one could not be measured."""
    steps = [*hit_steps(arena, seconds), *job_steps(arena), *round_trip_steps(arena)]
    steps = [step for step in steps if wanted & set(step.names)]
    samples: Rounds = defaultdict(list)
    missing: dict[str, str] = {}
    for number in range(1, rounds + 1):
        for step in steps:
            if missing.keys() & set(step.names):
                continue
            sys.stderr.write(f"\r\x1b[Kround {number} of {rounds}: {step.names[0]}")
            sys.stderr.flush()
            reason = _take(step, samples)
            if reason is not None:
                missing |= dict.fromkeys(step.names, reason)
    sys.stderr.write("\r\x1b[K")
    return dict(samples), missing


def _take(step: Step, samples: Rounds) -> str | None:
    """Measure once; return why that was impossible."""
    try:
        measured = step.measure()
    except (PeerUnavailable, WrongAnswer) as error:
        for name in step.names:
            samples.pop(name, None)
        return str(error)
    for name, sample in measured.items():
        samples[name].append(sample)
    return None

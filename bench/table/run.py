"""One interleaved run: every round measures each contender once, in turn."""

import sys
from collections import defaultdict
from dataclasses import dataclass, field

from bench.arena import Arena
from bench.load import WrongAnswer
from bench.peers.environment import PeerUnavailable
from bench.table.hits import hit_steps
from bench.table.jobs import job_steps
from bench.table.round_trips import round_trip_steps
from bench.table.rows import CONTENDERS
from bench.table.samples import Sample, Step
from bench.table.second_tier import promotion_steps

REASON_CHARS = 300


@dataclass(slots=True)
class Rounds:
    """What was measured: by contender, a sample of each round, None for a round in which it failed.

    `missing`: why a contender could not be measured at all. `failures`: what went wrong in single rounds.
    """

    samples: dict[str, list[Sample | None]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def run_rounds(arena: Arena, wanted: set[str], rounds: int, seconds: float) -> Rounds:
    """Measure these contenders in turn, again and again."""
    steps = [*hit_steps(arena, seconds), *promotion_steps(arena, seconds), *job_steps(arena), *round_trip_steps(arena)]
    steps = [step for step in steps if wanted & set(step.names)]
    measured = Rounds()
    for number in range(1, rounds + 1):
        for step in steps:
            if not measured.missing.keys() & set(step.names):
                sys.stderr.write(f"\r\x1b[Kround {number} of {rounds}: {step.names[0]}")
                sys.stderr.flush()
                _take(step, number, measured)
    sys.stderr.write("\r\x1b[K")
    return measured


def _take(step: Step, number: int, measured: Rounds) -> None:
    """Measure once, or note why that was impossible."""
    try:
        samples = step.measure()
    except PeerUnavailable as error:
        measured.missing |= dict.fromkeys(step.names, _said(error))
    except (WrongAnswer, AssertionError, OSError) as error:
        measured.failures.append(f"round {number}, {CONTENDERS[step.names[0]]}: {_said(error)}")
        for name in step.names:
            measured.samples[name].append(None)
    else:
        for name, sample in samples.items():
            measured.samples[name].append(sample)


def _said(error: Exception) -> str:
    """Return the beginning of what an error says, on one line."""
    return " ".join(str(error).split())[:REASON_CHARS]

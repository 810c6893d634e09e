"""The rows of the table: what is compared with what, and what is to be reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Measure = Literal["rate", "p50_ms", "p99_ms", "cpu_us"]

CONTENDERS: Mapping[str, str] = {
    "hit": "AskOnce, hit of memcached",
    "logged": "AskOnce, the same by a process whose request log can be switched off",
    "unlogged": "AskOnce, the same by that process without the request log",
    "keyed": "AskOnce, the same with an API key, by a process whose keys can be switched off",
    "unkeyed": "AskOnce, the same by that process without keys",
    "promotion": "AskOnce, hit of Redis, copied to memcached",
    "promotion_new": "AskOnce, the same, of a question that this process has not seen",
    "poll_ended": "AskOnce, poll of an ended job",
    "poll_live": "AskOnce, poll of a waiting job",
    "wsgi": "WSGI function, pymemcache, buffered log",
    "rsgi": "RSGI function: a body read, memcached asked, no more",
    "flask": "bare Flask view, pymemcache",
    "original": "original design: FastAPI, uvicorn, two tiers",
    "handwritten": "hand-written service, hit",
    "litellm": "LiteLLM proxy, Redis cache",
    "accept": "AskOnce, POST to 202",
    "handwritten_accept": "hand-written service, POST to 202",
    "jobs": "AskOnce, jobs (CPU of the worker)",
    "handwritten_jobs": "hand-written service, jobs (CPU of the worker)",
    "noops": "bare Celery, tasks that do nothing (CPU of the worker)",
    "postgres": "AskOnce, jobs (CPU of PostgreSQL)",
    "wait": "AskOnce, `Prefer: wait`, one at a time",
    "roundtrip": "bare Celery, a task and its answer, one at a time",
    "asking": "bare Celery, a task that asks by groq's SDK, one at a time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`measure` of `contender` divided by that of `rival`; `gate` is the least that is wanted, `goal` the aim.

    Where `less` is set, gate and goal are the most instead.
    """

    name: str
    title: str
    contender: str
    rival: str
    measure: Measure
    gate: float
    goal: float
    less: bool = False


ROWS = (
    Row(
        name="hit-flask",
        title="L1 hit, log on, all headers: to a bare Flask view + pymemcache",
        contender="hit",
        rival="flask",
        measure="rate",
        gate=3,
        goal=4,
    ),
    Row(
        name="hit-litellm",
        title="the same: to LiteLLM's proxy with its Redis cache",
        contender="hit",
        rival="litellm",
        measure="rate",
        gate=75,
        goal=100,
    ),
    Row(
        name="hit-p99",
        title="L1 hit, p99: in that of a fast WSGI function",
        contender="hit",
        rival="wsgi",
        measure="p99_ms",
        gate=1.3,
        goal=1,
        less=True,
    ),
    Row(
        name="hit-log",
        title="L1 hit with the request log: to the same without",
        contender="logged",
        rival="unlogged",
        measure="rate",
        gate=0.93,
        goal=0.95,
    ),
    Row(
        name="hit-key",
        title="L1 hit with an API key: to the same without",
        contender="keyed",
        rival="unkeyed",
        measure="rate",
        gate=0.95,
        goal=0.97,
    ),
    Row(
        name="hit-promotion",
        title="L2 hit, copied to L1: to an L1 hit",
        contender="promotion",
        rival="hit",
        measure="rate",
        gate=0.6,
        goal=0.7,
    ),
    Row(
        name="poll-ended",
        title="poll of an ended job: to a bare Flask view + pymemcache",
        contender="poll_ended",
        rival="flask",
        measure="rate",
        gate=2,
        goal=3,
    ),
    Row(
        name="poll-live",
        title="poll of a live job: to the same",
        contender="poll_live",
        rival="flask",
        measure="rate",
        gate=0.5,
        goal=0.7,
    ),
    Row(
        name="accept",
        title="POST to 202, committed and published: to the hand-written service",
        contender="accept",
        rival="handwritten_accept",
        measure="rate",
        gate=1,
        goal=1.5,
    ),
    Row(
        name="jobs-handwritten",
        title="jobs per second of worker CPU, provider of 0 ms: to the hand-written service",
        contender="handwritten_jobs",
        rival="jobs",
        measure="cpu_us",
        gate=0.7,
        goal=1.1,
    ),
    Row(
        name="jobs-celery",
        title="the same: to tasks of bare Celery that do nothing",
        contender="noops",
        rival="jobs",
        measure="cpu_us",
        gate=0.25,
        goal=0.4,
    ),
    Row(
        name="jobs-postgres",
        title="PostgreSQL's CPU per job: in worker CPU of such a task",
        contender="postgres",
        rival="noops",
        measure="cpu_us",
        gate=1.2,
        goal=0.8,
        less=True,
    ),
    Row(
        name="wait",
        title="`Prefer: wait`, provider of 0 ms, idle, p50: to a round trip through bare Celery",
        contender="wait",
        rival="roundtrip",
        measure="p50_ms",
        gate=4,
        goal=3,
        less=True,
    ),
)


def chosen(words: list[str]) -> list[Row]:
    """Return the rows whose name starts with one of these words; all without any."""
    return [row for row in ROWS if not words or any(row.name.startswith(word) for word in words)]

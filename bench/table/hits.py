"""Hits and polls, of AskOnce and of its peers: 16 connections that ask the same again and again."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import requests

from bench.arena import Arena
from bench.load import WrongAnswer, run_load
from bench.questions import BODY_BYTES, SENTENCE, question
from bench.table.samples import WARM_SHARE, Sample, Samples, Step, Target, sample_of, samples_in_turn
from bench.traffic import Traffic, get, post
from tests.freezing import frozen_process
from tests.stack import eventually

CONNECTIONS = 16
PREDICT = "/api/v1/predict"
ANSWER = SENTENCE.strip().encode()
FIRST_TIER = b"memcached; hit; ttl="
PEERS = ("flask", "wsgi", "rsgi", "original", "handwritten")
PEER_HIT = {"original": b"x-cache: memcached", "handwritten": b"x-cache: memcached"}


def hit_steps(arena: Arena, seconds: float) -> list[Step]:
    """Return the steps of a round, each for one contender."""
    targets: dict[str, Callable[[], Target]] = {
        "hit": lambda: _askonce(arena.stack.pid("api"), arena.port),
        **{name: _of_peer(arena, name) for name in PEERS},
        "litellm": lambda: _litellm(arena),
        "poll_ended": lambda: _poll(arena, _ended_job(arena), b'"status":"completed"'),
    }
    steps = [Step((name,), _measure(arena, name, target, seconds)) for name, target in targets.items()]
    for names, start in ((("logged", "unlogged"), arena.logged), (("keyed", "unkeyed"), arena.keyed)):
        on, off = (partial(_switched, start, on=on) for on in (True, False))
        steps.append(
            Step(names, partial(samples_in_turn, arena.cores, dict(zip(names, (on, off), strict=True)), seconds))
        )
    steps.append(Step(("poll_live",), lambda: _poll_live(arena, seconds)))
    return steps


def _measure(arena: Arena, name: str, target: Callable[[], Target], seconds: float) -> Callable[[], Samples]:
    def measure() -> Samples:
        found = target()
        _until_right(found.traffic)
        return {name: _loaded(arena, found, seconds)}

    return measure


def _loaded(arena: Arena, target: Target, seconds: float) -> Sample:
    def load() -> Sample:
        return sample_of(arena.cores, target.pid, lambda: run_load(target.traffic, seconds))

    sample_of(arena.cores, target.pid, lambda: run_load(target.traffic, seconds * WARM_SHARE))
    return load()


def _until_right(traffic: Traffic) -> None:
    """Ask one at a time until the answer is the expected one; the first answers fill caches."""

    def right() -> bool:
        try:
            run_load(replace(traffic, connections=1, numbers=range(1)))
        except WrongAnswer as error:
            said.append(str(error))
            return False
        return True

    said: list[str] = []
    try:
        eventually(right, 20)
    except AssertionError:
        raise WrongAnswer(said[-1] if said else "no answer") from None


def _askonce(pid: int, port: int, key: str = "") -> Target:
    headers = [f"Authorization: Bearer {key}"] if key else []
    request = post(PREDICT, json.dumps(question()).encode(), *headers)
    expected = (FIRST_TIER, b'"hit":true', ANSWER)
    return Target(pid, Traffic(port=port, request=request, connections=CONNECTIONS, expected=expected))


def _switched(start: Callable[..., tuple[Any, ...]], *, on: bool) -> Target:
    target = _askonce(*start(on=on))
    _until_right(target.traffic)
    return target


def _of_peer(arena: Arena, name: str) -> Callable[[], Target]:
    def target() -> Target:
        peer = arena.peer(name)
        if name == "handwritten":
            arena.peer("handwritten worker")
        request = post("/predict", json.dumps(question()).encode())
        expected = (PEER_HIT.get(name, b"x-cache: hit"), b"The cat sat on the mat")
        traffic = Traffic(port=peer.port, request=request, connections=CONNECTIONS, expected=expected)
        return Target(peer.running, traffic)

    return target


def _litellm(arena: Arena) -> Target:
    peer = arena.peer("litellm")
    text = (SENTENCE * 10)[: BODY_BYTES - 90]
    body = {"model": "gpt-oss-20b", "messages": [{"role": "user", "content": text}]}
    request = post("/v1/chat/completions", json.dumps(body).encode())
    # It names the key of its cache in hits only.
    expected = (b"x-litellm-cache-key: ", b"The cat sat on the mat")
    traffic = Traffic(port=peer.port, request=request, connections=CONNECTIONS, expected=expected)
    return Target(peer.running, traffic)


def _poll(arena: Arena, job_id: str, status: bytes) -> Target:
    expected = (status, job_id.encode())
    request = get(f"/api/v1/jobs/{job_id}")
    traffic = Traffic(port=arena.port, request=request, connections=CONNECTIONS, expected=expected)
    return Target(arena.stack.pid("api"), traffic)


def _poll_live(arena: Arena, seconds: float) -> Samples:
    """Poll a job that waits for a worker, which sleeps meanwhile."""
    with frozen_process(arena.stack.pid("worker-text")):
        made = _asked(arena, question(f"Live {arena.some(1).start}"))
        target = _poll(arena, made, b'"status":"queued"')
        return {"poll_live": _loaded(arena, target, seconds)}


def _ended_job(arena: Arena) -> str:
    reply = arena.stack.predict(question("Ended"), headers={"Prefer": "wait=30"})
    reply.raise_for_status()
    return str(reply.json()["job_id"])


def _asked(arena: Arena, body: dict[str, object]) -> str:
    reply = requests.post(arena.stack.url(PREDICT), json=body, timeout=30)
    reply.raise_for_status()
    return str(reply.json()["job_id"])

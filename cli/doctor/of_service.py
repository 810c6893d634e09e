"""Looks at a running service from outside, by its HTTP API."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from cli.doctor.findings import Finding, State, clock_finding
from cli.errors import CommandFailed
from cli.service.client import API, Json, Service
from cli.terminal.words import count
from cli.version import own_version
from shared.domain.providers import SIMULATED
from shared.times import now

ADVICE_OF = {
    "postgres": "No new jobs are accepted: start PostgreSQL, or look at DATABASE_URL.",
    "memcached": "Answers come from Redis, a little later: start memcached, or look at MEMCACHED_SERVERS.",
    "redis": "Most answers are misses now, and are paid anew: start Redis, or look at REDIS_CACHE_URL.",
    "broker": "New jobs wait for maintenance to publish them: start Redis, or look at CELERY_BROKER_URL.",
}


def look_at_service(service: Service) -> Iterator[Finding]:
    """Yield findings; only the first if the service is away."""
    try:
        reply = service.call("GET", f"{API}/health")
    except CommandFailed as error:
        yield Finding("service", State.WRONG, str(error))
        return
    health = reply.document
    yield Finding("service", State.WELL, f"{service.url} answers")
    yield from map(_dependency, health["dependencies"].items())
    yield from _background(health)
    if date := reply.headers.get("Date"):
        yield clock_finding("clock of the API", (parsedate_to_datetime(date) - now()).total_seconds())
    yield from _catalogue(service)


def _dependency(named: tuple[str, Json]) -> Finding:
    name, found = named
    if found["state"] == "up":
        return Finding(f"{name}, for the API", State.WELL, f"up, {found['latency_ms']:.1f} ms")
    return Finding(f"{name}, for the API", State.WRONG, "down", ADVICE_OF.get(name, ""))


def _background(health: Json) -> Iterator[Finding]:
    failing = [f"{name} ({loop['last_error']})" for name, loop in health["background"].items() if loop["state"] != "ok"]
    if failing:
        yield Finding("background", State.WRONG, f"failing: {', '.join(failing)}", "The API's log says why.")
    else:
        yield Finding("background", State.WELL, f"{len(health['background'])} loops run")
    log = health["request_log"]
    seen = f"{count(log['backlog'])} wait here, {count(log['overflow'])} in Redis, {count(log['dropped'])} were dropped"
    if log["dropped"]:
        yield Finding("request log", State.WRONG, seen, "PostgreSQL was away for too long: docs/request-log.md.")
    else:
        yield Finding("request log", State.ODD if log["overflow"] else State.WELL, seen)


def _catalogue(service: Service) -> Iterator[Finding]:
    try:
        ours, theirs = own_version(), service.get("/openapi.json")["info"]["version"]
        tasks = service.get(f"{API}/tasks")["tasks"]
    except CommandFailed as error:
        yield Finding("API key", State.WRONG, str(error))
        return
    yield Finding("API key", State.WELL, "is accepted, or none is asked for")
    if ours == theirs:
        yield Finding("version", State.WELL, f"{ours}, here and there")
    else:
        yield Finding("version", State.ODD, f"{ours} here, {theirs} there", "Update the older one.")
    yield _providers(tasks)


def _providers(tasks: list[Json]) -> Finding:
    nobody = [task["task_type"] for task in tasks if task["provider"] is None]
    simulated = [task["task_type"] for task in tasks if task["provider"] == SIMULATED]
    if nobody:
        advice = "Set GROQ_API_KEY or HF_API_KEY, or SIMULATOR_URL, and start the service anew."
        return Finding("providers", State.WRONG, f"nobody answers {', '.join(nobody)}", advice)
    if simulated:
        advice = "Set GROQ_API_KEY and HF_API_KEY in .env for real answers."
        return Finding("providers", State.ODD, f"simulated: {', '.join(simulated)}", advice)
    return Finding("providers", State.WELL, ", ".join(sorted({task["provider"] for task in tasks})))

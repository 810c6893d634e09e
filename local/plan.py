"""What this checkout runs, and at which addresses, for a given environment."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from local.ports import remembered_port
from local.servers.memcached import MemcachedServer
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.state import EXTERNAL, FOLDER, ProcessRecord
from local.supervisor.base import Service
from shared.domain.providers import BUILT_IN, SIMULATED
from shared.domain.registry import TASK_TYPES

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104
ORDER = (
    "postgres",
    "valkey",
    "memcached",
    "api",
    "worker-text",
    "worker-image",
    "worker-maintenance",
    "beat",
    "flower",
    "simulator",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`environment`: variables that our processes get in addition to the inherited ones; `askonce env` prints them.

    `simulated` names the kinds of answers (text, image) that come from the simulator.
    """

    servers: Sequence[Service]
    external: Sequence[ProcessRecord]
    environment: Mapping[str, str] = field(repr=False)
    api: str
    flower: str
    simulator: str | None
    starts_simulator: bool
    log_format: str
    asks_for_keys: bool
    simulated: Sequence[str]


def make_plan(environment: Mapping[str, str], root: Path) -> Plan:
    """Return the plan: we run the services whose URL `environment` does not set. Starts nothing."""
    folder = root / FOLDER
    logs = folder / "logs"
    servers: list[Service] = []
    urls: dict[str, str] = {}
    if "DATABASE_URL" not in environment:
        postgres = Postgres(folder / "postgres", log=logs / "postgres.log")
        servers.append(postgres)
        urls["DATABASE_URL"] = postgres.url()
    if "REDIS_CACHE_URL" not in environment or "CELERY_BROKER_URL" not in environment:
        valkey = Valkey(folder / "valkey", log=logs / "valkey.log")
        servers.append(valkey)
        urls["REDIS_CACHE_URL"] = valkey.url(0)
        urls["CELERY_BROKER_URL"] = valkey.url(1)
    if "MEMCACHED_SERVERS" not in environment:
        memcached = MemcachedServer(folder / "memcached", log=logs / "memcached.log", packages=folder / "packages")
        servers.append(memcached)
        urls["MEMCACHED_SERVERS"] = str(memcached.address)
    simulated = _simulated(environment)
    starts_simulator = bool(simulated) and "SIMULATOR_URL" not in environment
    if starts_simulator:
        urls |= _simulator(environment, folder)
    effective = {**urls, **_given(environment, urls), **_files(environment, root), **listening(environment)}
    return Plan(
        servers=servers,
        external=_external(environment),
        environment=effective,
        api=effective["API_URL"],
        flower=effective["FLOWER_URL"],
        simulator=effective.get("SIMULATOR_URL"),
        starts_simulator=starts_simulator,
        log_format=environment.get("LOG_FORMAT", "text"),
        asks_for_keys=environment.get("AUTH") == "on",
        simulated=simulated,
    )


def program_arguments(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the command line of each of our programs by name, in starting order."""
    python = sys.executable
    programs: dict[str, tuple[str, ...]] = {}
    if plan.starts_simulator and plan.simulator:
        port = urlsplit(plan.simulator).port
        options = ("--port", str(port), "--log-format", plan.log_format)
        programs["simulator"] = (python, "-m", "simulator", *options)
    programs["api"] = (python, "-m", "api")
    for queue in ("text", "image", "maintenance"):
        programs[f"worker-{queue}"] = (python, "-m", "workers", queue)
    programs["beat"] = (python, "-m", "workers", "beat")
    programs["flower"] = (python, "-m", "workers", "flower")
    return programs


def _simulated(environment: Mapping[str, str]) -> list[str]:
    served = dict.fromkeys((each.queue, BUILT_IN[each.models[0].provider].key_name) for each in TASK_TYPES)
    simulated = (
        queue
        for queue, key in served
        if environment.get(f"{queue.upper()}_PROVIDER", "" if key in environment else SIMULATED) == SIMULATED
    )
    return list(dict.fromkeys(simulated))


def _simulator(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    address = f"127.0.0.1:{remembered_port(folder / 'simulator')}"
    # The simulator serves the sample pictures, at an address that downloads otherwise refuse.
    allowed = [part for part in (environment.get("IMAGE_URL_ALLOW"), address) if part]
    return {"SIMULATOR_URL": f"http://{address}", "IMAGE_URL_ALLOW": ",".join(allowed)}


def _given(environment: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    names = ("DATABASE_URL", "REDIS_CACHE_URL", "CELERY_BROKER_URL", "MEMCACHED_SERVERS", "SIMULATOR_URL")
    given = {name: environment[name] for name in names if name in environment}
    if "IMAGE_URL_ALLOW" in environment and "IMAGE_URL_ALLOW" not in ours:
        given["IMAGE_URL_ALLOW"] = environment["IMAGE_URL_ALLOW"]
    return given


def _files(environment: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return where files are, whichever the working directory is: a relative path begins at the project."""
    given = environment.get("PROVIDERS_FILE")
    return {"PROVIDERS_FILE": str(root / given)} if given else {}


def listening(environment: Mapping[str, str]) -> dict[str, str]:
    """Return where the API and Flower listen, or would, and their URLs for this machine."""
    host = environment.get("LISTEN_ADDRESS", "127.0.0.1")
    port, flower_port = environment.get("PORT", "8000"), environment.get("FLOWER_PORT", "5555")
    reachable = "127.0.0.1" if host in ANY_ADDRESS else f"[{host}]" if ":" in host else host
    return {
        "LISTEN_ADDRESS": host,
        "PORT": port,
        "FLOWER_PORT": flower_port,
        "API_URL": f"http://{reachable}:{port}",
        "FLOWER_URL": f"http://127.0.0.1:{flower_port}",
    }


def _external(environment: Mapping[str, str]) -> list[ProcessRecord]:
    records = []
    if "DATABASE_URL" in environment:
        records.append(ProcessRecord("postgres", EXTERNAL, _shown(environment["DATABASE_URL"])))
    if "REDIS_CACHE_URL" in environment and "CELERY_BROKER_URL" in environment:
        records.append(ProcessRecord("valkey", EXTERNAL, _shown(environment["REDIS_CACHE_URL"])))
    if "MEMCACHED_SERVERS" in environment:
        records.append(ProcessRecord("memcached", EXTERNAL, environment["MEMCACHED_SERVERS"]))
    if "SIMULATOR_URL" in environment:
        records.append(ProcessRecord("simulator", EXTERNAL, environment["SIMULATOR_URL"]))
    return records


def _shown(url: str) -> str:
    """Return host and port of a URL; the rest may be secret."""
    return urlsplit(url).netloc.rpartition("@")[2]

"""`askonce status` and `askonce env`: what runs in this checkout, and at which addresses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from local.external_workers import external_workers
from local.plan import ORDER, listening, make_plan, program_arguments
from local.state import EXTERNAL, ProcessRecord, Run, StateFolder
from local.supervisor.process_table import is_alive
from local.supervisor.supervised import STOPPED

Json = dict[str, str | int | None]


def records(root: Path, environment: Mapping[str, str]) -> list[ProcessRecord]:
    """Return one record for each name of the stack, from the running supervisor, else from the plan.

    Workers that somebody started by hand follow.
    """
    run = _running(StateFolder(root))
    effective = effective_environment(root, environment)
    known = {record.name: record for record in (run.records if run else _planned(root, environment))}
    ours = {record.identity.pid for record in known.values() if record.identity}
    return [
        *(known.get(name, ProcessRecord(name, STOPPED)) for name in ORDER),
        *external_workers(root, effective, ours),
    ]


def as_json(found: Sequence[ProcessRecord]) -> list[Json]:
    """Return the records in the format of `status --json`."""
    return [
        {
            "name": record.name,
            "pid": record.identity.pid if record.identity and is_alive(record.identity) else None,
            "address": record.address,
            "log": record.log,
            "state": record.state,
        }
        for record in found
    ]


def as_table(found: Sequence[ProcessRecord]) -> str:
    """Return the records as a table, with the reason of failures."""
    rows = [("NAME", "STATE", "PID", "ADDRESS", "LOG")]
    for record, entry in zip(found, as_json(found), strict=True):
        cells = [str(entry[column] or "-") for column in ("name", "state", "pid", "address", "log")]
        rows.append((cells[0], cells[1], cells[2], cells[3], cells[4]))
        if record.reason:
            rows.append(("", f"  {record.reason}", "", "", ""))
    widths = [max(len(row[column]) for row in rows if row[0]) for column in range(5)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def effective_environment(root: Path, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the addresses of all services: of the running ones, else of the next start."""
    folder = StateFolder(root)
    folder.create()
    run = _running(folder)
    return run.environment if run else make_plan(environment, root).environment


def api_address(root: Path, environment: Mapping[str, str]) -> str:
    """Return the URL of the API that runs in this checkout, else of the one that would. Writes nothing."""
    run = _running(StateFolder(root))
    return (run.environment if run else listening(environment))["API_URL"]


def running_environment(root: Path) -> Mapping[str, str] | None:
    """Return the addresses of the services that run in this checkout; None if none does. Writes nothing."""
    run = _running(StateFolder(root))
    return run.environment if run else None


def _running(folder: StateFolder) -> Run | None:
    run = folder.load()
    return run if run is not None and run.is_alive() else None


def _planned(root: Path, environment: Mapping[str, str]) -> list[ProcessRecord]:
    folder = StateFolder(root)
    folder.create()
    plan = make_plan(environment, root)
    addresses = {"api": plan.api, "flower": plan.flower, "simulator": plan.simulator}
    ours = [ProcessRecord(server.name, STOPPED, server.address, str(server.log)) for server in plan.servers]
    ours += [
        ProcessRecord(name, STOPPED, addresses.get(name), str(folder.logs / f"{name}.log"))
        for name in program_arguments(plan)
    ]
    return [*ours, *(record for record in plan.external if record.state == EXTERNAL)]

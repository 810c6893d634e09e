"""Finds workers that somebody started by hand (`python -m workers ROLE`), outside the supervisor."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from local.state import EXTERNAL, ProcessRecord
from local.supervisor.process_table import ProcessEntry, all_processes, command_line, environment_of, working_directory

MODULE = ["-m", "workers"]
BROKER = "CELERY_BROKER_URL"


def external_workers(root: Path, environment: Mapping[str, str], ours: Collection[int]) -> list[ProcessRecord]:
    """Return a record for each worker on this machine that uses our broker, except those whose pid is in `ours`.

    A worker without a broker in its environment counts if it runs in `root`, because it reads the `.env` there. The
    names end with the process id.
    """
    roles = {entry.identity.pid: (entry, role) for entry in all_processes() if (role := _role(entry))}
    return [
        ProcessRecord(f"{'' if role in ('beat', 'flower') else 'worker-'}{role}-{pid}", EXTERNAL)
        for pid, (entry, role) in sorted(roles.items())
        # Processes that a worker forks look like the worker.
        if not {pid, entry.parent} & set(ours) and entry.parent not in roles
        if _shares_broker(pid, root, environment.get(BROKER))
    ]


def _role(entry: ProcessEntry) -> str | None:
    words: Sequence[str] = () if entry.zombie else command_line(entry.identity.pid)
    return words[3] if len(words) > 3 and list(words[1:3]) == MODULE else None  # noqa: PLR2004  python -m workers ROLE


def _shares_broker(pid: int, root: Path, broker: str | None) -> bool:
    variables = environment_of(pid)
    if BROKER in variables:
        return variables[BROKER] == broker
    return working_directory(pid) == root.resolve()

"""The command `askonce`."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from api.access import command as keys
from api.access.arguments import add_arguments
from local.ports import NoFreePort
from local.servers.memcached import MemcachedMissing
from local.servers.postgres import PostgresMissing
from local.servers.unprivileged import NoUnprivilegedUser
from local.servers.valkey import ValkeyMissing
from local.state import AlreadyRunning
from local.status import as_json, as_table, effective_environment, records
from local.supervisor.base import ServiceFailed
from local.supervisor.console import Console
from local.up import up
from shared.config import check_setting_names, load_settings, read_environment
from shared.errors import AskOnceError

ROOT = Path(__file__).resolve().parents[1]
INTERRUPTED = 130
EXPECTED = (
    AlreadyRunning,
    AskOnceError,
    MemcachedMissing,
    NoFreePort,
    NoUnprivilegedUser,
    PostgresMissing,
    ServiceFailed,
    ValkeyMissing,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command in this checkout; return its exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        _run(chosen)
    except EXPECTED as error:
        sys.stderr.write(f"askonce: {error}\n")
        return 1
    except PermissionError as error:
        sys.stderr.write(
            f"askonce: {error.filename} belongs to another user; did that one start AskOnce here before?\n"
        )
        return 1
    except OSError as error:
        # Usually a full disk.
        sys.stderr.write(f"askonce: {error.strerror}{f': {error.filename}' if error.filename else ''}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _run(chosen: argparse.Namespace) -> None:
    environment = read_environment(ROOT / ".env")
    if chosen.command == "up":
        check_setting_names(ROOT / ".env")
        _up(environment)
    elif chosen.command == "keys":
        effective = effective_environment(ROOT, environment)
        keys.run(chosen, load_settings({**environment, **effective}), sys.stdout, sys.stderr)
    elif chosen.command == "status":
        found = records(ROOT, environment)
        sys.stdout.write((json.dumps(as_json(found), indent=2) if chosen.json else as_table(found)) + "\n")
    else:
        effective = effective_environment(ROOT, environment)
        sys.stdout.writelines(f"{name}={shlex.quote(value)}\n" for name, value in sorted(effective.items()))


def _up(environment: dict[str, str]) -> None:
    console = Console(sys.stdout)
    try:
        up(ROOT, environment, console)
    finally:
        console.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="askonce", description="AskOnce on one machine, without Docker.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything and stay in the foreground; Ctrl-C stops it")
    status = commands.add_parser("status", help="list every process: name, pid, address, log file, state")
    status.add_argument("--json", action="store_true", help="as a JSON list")
    add_arguments(commands.add_parser("keys", help="make, list, rotate and revoke API keys"))
    commands.add_parser("env", help="print the addresses of the services, passwords included, as NAME=value lines")
    return parser

"""`askonce up`: from an environment to a running stack."""

import sys
from collections.abc import Mapping
from pathlib import Path

from api.access.exposure import check_exposure
from api.open_files import files_needed
from local.banner import banner
from local.child_environment import child_environment
from local.plan import Plan, make_plan, program_arguments
from local.ports import forget_taken_ports
from local.state import StateFolder, new_run_tag
from local.supervisor.console import Console
from local.supervisor.orphans import stop_orphans
from local.supervisor.program import Program, ProgramDescription
from local.supervisor.supervisor import Stack, Supervisor
from shared.config import Settings, load_settings
from shared.errors import ConfigurationError
from shared.startup_checks import check_open_files, check_port
from workers.process.flower_exposure import check_flower_exposure

FILES_NEEDED = 1100
"""memcached accepts 1,024 connections and does not start without as many files; it inherits our limit."""


def up(root: Path, environment: Mapping[str, str], console: Console) -> None:
    """Run everything until told to stop.

    Raises AlreadyRunning, ConfigurationError, and any error of a server that can't start.
    """
    folder = StateFolder(root)
    folder.create()
    with folder.locked():
        _clean_up(folder, console)
        plan = make_plan(environment, root)
        settings = load_settings({**environment, **plan.environment})
        check_exposure(settings)
        check_flower_exposure(settings)
        check_open_files(FILES_NEEDED)
        check_open_files(files_needed(settings), "MAX_CONNECTIONS")
        _check_ports(settings)
        Supervisor(make_stack(plan, root, folder), folder, console).run()


def _clean_up(folder: StateFolder, console: Console) -> None:
    last = folder.load()
    if last is not None and (count := stop_orphans(last)):
        console.say(f"ended {count} processes that the last run had left")
    forget_taken_ports(folder.path)


def _check_ports(settings: Settings) -> None:
    if settings.port == settings.flower_port:
        message = f"PORT and FLOWER_PORT are both {settings.port}; set one of them to another port"
        raise ConfigurationError(message)
    checks = (
        ("LISTEN_ADDRESS", settings.listen_address, "PORT", settings.port),
        ("FLOWER_ADDRESS", settings.flower_address, "FLOWER_PORT", settings.flower_port),
    )
    complaints = []
    for address_name, address, port_name, port in checks:
        try:
            besides = (settings.port, settings.flower_port)
            check_port(address, port, address_name=address_name, port_name=port_name, besides=besides)
        except ConfigurationError as error:
            complaints.append(error.detail)
    if complaints:
        raise ConfigurationError("\n".join(complaints))


def make_stack(plan: Plan, root: Path, folder: StateFolder) -> Stack:
    """Return the parts of a run. The simulator is one of the servers, so it outlives the jobs that ask it."""
    run_tag = new_run_tag()
    name, _, value = run_tag.partition("=")
    environment = child_environment({**plan.environment, name: value})
    health = {
        "api": (plan.api, f"{plan.api}/api/v1/health/ready"),
        "flower": (plan.flower, f"{plan.flower}/healthcheck"),
        "simulator": (plan.simulator, f"{plan.simulator}/"),
    }

    def program(name: str, arguments: tuple[str, ...]) -> Program:
        address, url = health.get(name, (None, None))
        description = ProgramDescription(
            name=name, arguments=arguments, directory=root, environment=environment, address=address, health=url
        )
        return Program(description, folder.logs / f"{name}.log")

    programs = {name: program(name, arguments) for name, arguments in program_arguments(plan).items()}
    simulator = [programs.pop("simulator")] if "simulator" in programs else []
    return Stack(
        root=root,
        servers=[*plan.servers, *simulator],
        preparations=[program("migrate", (sys.executable, "-m", "shared.db.migrate"))],
        programs=list(programs.values()),
        external=plan.external,
        environment=plan.environment,
        banner=banner(plan.api, plan.flower, plan.simulator, plan.simulated, asks_for_keys=plan.asks_for_keys),
        run_tag=run_tag,
    )

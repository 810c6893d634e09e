"""Supervise a stack of made-up programs: run_stack.py FOLDER NAME=PYTHON-CODE..."""

import sys
from pathlib import Path

from local.child_environment import child_environment
from local.servers.valkey import Valkey
from local.state import StateFolder, new_run_tag
from local.supervisor.console import Console
from local.supervisor.orphans import stop_orphans
from local.supervisor.program import Program, ProgramDescription
from local.supervisor.supervisor import Stack, Supervisor


def main(root: Path, programs: dict[str, str]) -> None:
    folder = StateFolder(root)
    folder.create()
    run_tag = new_run_tag()
    name, _, value = run_tag.partition("=")
    environment = child_environment({name: value})

    def program(name: str, code: str) -> Program:
        arguments = (sys.executable, "-c", code)
        description = ProgramDescription(name=name, arguments=arguments, directory=root, environment=environment)
        return Program(description, folder.logs / f"{name}.log")

    with folder.locked():
        if last := folder.load():
            stop_orphans(last)
        stack = Stack(
            root=root,
            servers=[Valkey(folder.path / "valkey", log=folder.logs / "valkey.log")],
            preparations=[],
            programs=[program(name, code) for name, code in programs.items()],
            banner="everything runs",
            run_tag=run_tag,
        )
        console = Console(sys.stdout)
        try:
            Supervisor(stack, folder, console).run()
        finally:
            console.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), dict(argument.split("=", 1) for argument in sys.argv[2:]))

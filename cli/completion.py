"""`askonce completion`: what a shell needs to complete commands."""

import argparse

from argcomplete.shell_integration import shellcode

from cli.console import Console
from cli.exit_codes import ExitCode

SHELLS = ("bash", "zsh", "fish", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.add_argument("shell", choices=SHELLS, help='for bash and zsh: eval "$(askonce completion bash)"')


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the shell's code."""
    console.write(shellcode(["askonce"], shell=arguments.shell))
    return ExitCode.DONE

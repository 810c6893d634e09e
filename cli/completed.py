"""Completes a command line that a shell asks about, by argcomplete."""

import argparse
import os
from collections.abc import Callable
from importlib import import_module

from cli.front_options import command_in

ASKED = "_ARGCOMPLETE"
"""A shell that asks sets this variable, and COMP_LINE to what has been typed."""


def complete_if_asked(make_parser: Callable[[str], argparse.ArgumentParser]) -> None:
    """If a shell asks, tell it how the words may go on, and end; else return at once.

    `make_parser`: returns the parser with the arguments of a command, which is told by its name.
    """
    if ASKED not in os.environ:
        return
    words = os.environ.get("COMP_LINE", "").split()
    parser = make_parser(command_in(words[1:]))
    # Imported here: it takes time that only a shell that asks should pay.
    import_module("argcomplete").autocomplete(parser)

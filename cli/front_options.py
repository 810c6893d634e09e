"""Options in front of the command, which say once which service is meant. Behind it they mean the same."""

import argparse
from collections.abc import Iterable

FRONT = {"--url": "url", "--key": "api_key"}
"""Each option, and what commands call its value."""


def add_front_options(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of all commands."""
    about = {"--url": "the address of the service", "--key": "an API key for it"}
    for option, name in FRONT.items():
        where = f"{about[option]}; here or behind COMMAND"
        parser.add_argument(option, dest=f"front_{name}", metavar=name.upper(), help=where)


def command_in(words: Iterable[str]) -> str:
    """Return the command: the first word that is no option, nor the value of one; "" without any."""
    following = iter(words)
    for word in following:
        if word in FRONT:
            next(following, None)
        elif not word.startswith("-"):
            return word
    return ""


def take_front_options(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Hand them to the command, which may have got its own, and those win; end if it takes none."""
    for option, name in FRONT.items():
        given = getattr(chosen, f"front_{name}")
        if given is None:
            continue
        if not hasattr(chosen, name):
            parser.error(f"`{chosen.command}` does not ask a service, so it takes no {option}")
        if getattr(chosen, name) is None:
            setattr(chosen, name, given)

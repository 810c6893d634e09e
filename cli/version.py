"""Which AskOnce this command belongs to."""

import argparse
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn


def own_version() -> str:
    """Return the version that is installed."""
    try:
        return version("askonce")
    except PackageNotFoundError:
        return "unknown"


class ShowVersion(argparse.Action):
    """Prints the version, and ends. Looks it up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        """Print and end."""
        sys.stdout.write(f"askonce {own_version()}\n")
        parser.exit()

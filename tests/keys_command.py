"""`askonce keys`, in this process."""

import argparse
from io import StringIO

from api.access.arguments import add_arguments
from api.access.command import run
from shared.config import Settings


def askonce_keys(settings: Settings, *arguments: str) -> tuple[str, str]:
    """Run a command; return what it writes to standard output, and what it says about that."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    out, notes = StringIO(), StringIO()
    run(parser.parse_args(arguments), settings, out, notes)
    return out.getvalue(), notes.getvalue()

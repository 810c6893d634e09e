"""Runs schemathesis against an API, with what the API's own OpenAPI document says."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.checkout import CHECKOUT

KEYS_VARIABLE = "KEYS_TO_FUZZ_WITH"
"""Where the hooks find API keys, by blanks."""

OWN_ERROR = "\n    ValueError: Unsupported type: 'Binary'"
"""It now and then makes a body that its own check of bodies has no words for (version 4.32.5)."""

CONFIG = Path(__file__).with_name("schemathesis.toml")


def command(url: str, seed: int, *more: str, headers: Mapping[str, str] | None = None) -> Sequence[str]:
    """Return a command line that fuzzes the API at `url`. `headers`: sent with every call, such as a key's."""
    given = [part for name, value in (headers or {}).items() for part in ("--header", f"{name}: {value}")]
    run = ("run", f"{url}/openapi.json", "--checks", "all", "--seed", str(seed), "--no-color")
    return [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), *run, *more, *given]


def agree(done: "subprocess.CompletedProcess[str]") -> bool:
    """Return whether schema and API agree. An error of schemathesis' own about bytes in a form says nothing."""
    errors = len(re.findall(r"^Runtime Error$", done.stdout, re.MULTILINE))
    return not done.returncode or ("= FAILURES =" not in done.stdout and 0 < errors == done.stdout.count(OWN_ERROR))


def fuzz(command: Sequence[str], keys: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
    """Run a command line of these; its exit code is 0 if schema and API agree. `keys`: sent in turn."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), KEYS_VARIABLE: " ".join(keys)}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)

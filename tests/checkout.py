"""Where this checkout is, for tests that read its files or start its programs, in whichever room they live."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]

"""What to say to who asks for a path that is none."""

import difflib
from collections.abc import Collection

LONGEST = 100
"""Characters of a path that are compared; no path of ours is longer."""

DOCUMENTATION = "/docs lists every endpoint."


def nothing_at(path: str, known: Collection[str]) -> str:
    """Return a sentence that names the nearest of the known paths. The path itself is not repeated."""
    near = difflib.get_close_matches(path[:LONGEST].lower(), known, n=2, cutoff=0.7)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"There is nothing at this path.{meant} {DOCUMENTATION}"

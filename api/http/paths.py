"""What is said of a path at which there is nothing: the nearest paths that there are."""

import difflib
import re
from collections.abc import Collection, Iterator

DOCUMENTATION = "/docs lists every endpoint."
LONGEST = 200
"""Characters of a path that are compared; none of our paths, with its ids, is longer."""

MOST = 2
CLOSE = 0.7
_PARAMETER = re.compile(r"{\w+}")
_ID = re.compile(r"(?=[^/]*\d)[^/]{8,}")
"""A segment that may be an id."""


def nothing_at(path: str, known: Collection[str]) -> str:
    """Return a sentence that names the nearest known paths, but does not repeat the given one.

    `known`: paths, with parameters in braces.
    """
    near = list(dict.fromkeys(_near(path[:LONGEST].lower().rstrip("/"), known)))[:MOST]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"There is nothing at this path.{meant} {DOCUMENTATION}"


def _near(path: str, known: Collection[str]) -> Iterator[str]:
    """Yield those that end like the path, then those that look like it, then those whose last segment does."""
    given = _ID.sub("{}", path)
    whole = {_PARAMETER.sub("{}", each): each for each in known}
    yield from (each for shape, each in whole.items() if len(given) > 1 and shape.endswith(given))
    yield from (whole[shape] for shape in difflib.get_close_matches(given, whole, n=MOST, cutoff=CLOSE))
    ends = {shape.rpartition("/")[2]: each for shape, each in whole.items() if not shape.endswith("{}")}
    yield from (ends[end] for end in difflib.get_close_matches(given.rpartition("/")[2], ends, n=1, cutoff=CLOSE))

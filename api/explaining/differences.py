"""Where two JSON values differ."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from api.http.field_errors import pointer_to

AROUND = 40
"""Characters that are shown of a long text, before and after the place where two begin to differ."""

LONGEST = 2 * AROUND
MOST = 20
"""At most this many differences are listed; more would not help anybody."""


class _Missing:
    """Stands for a member that only the other value has."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class Difference(NamedTuple):
    """`part`: an RFC 6901 pointer. `here`, `there`: both values; MISSING where a member is not there at all.

    `at`: of two texts, the index of the first character that differs; else None. Long texts are cut around it.
    """

    part: str
    here: Any
    there: Any
    at: int | None = None

    def document(self) -> dict[str, Any]:
        """Return it as an object for JSON; a value that is missing has no member."""
        values = {"here": self.here, "there": self.there}
        shown = {name: value for name, value in values.items() if value is not MISSING}
        return {"part": self.part, **shown, **({} if self.at is None else {"at": self.at})}


def differences(here: Any, there: Any, part: str = "") -> Iterator[Difference]:  # noqa: ANN401  JSON is any of its types
    """Yield where two JSON values differ, part by part. 1, 1.0 and true are three values, as they are in a key."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for name in {**here, **there}:
            yield from differences(here.get(name, MISSING), there.get(name, MISSING), pointer_to(name, part))
    elif isinstance(here, list) and isinstance(there, list):
        for index in range(max(len(here), len(there))):
            yield from differences(_item(here, index), _item(there, index), f"{part}/{index}")
    elif type(here) is not type(there) or here != there:
        yield _difference(part, here, there)


def _item(values: list[Any], index: int) -> Any:  # noqa: ANN401  as above
    return values[index] if index < len(values) else MISSING


def _difference(part: str, here: Any, there: Any) -> Difference:  # noqa: ANN401  as above
    if not (isinstance(here, str) and isinstance(there, str)):
        return Difference(part, _cut(here), _cut(there))
    pairs = enumerate(zip(here, there, strict=False))
    at = next((index for index, (one, other) in pairs if one != other), min(len(here), len(there)))
    return Difference(part, _around(here, at), _around(there, at), at)


def _around(text: str, at: int) -> str:
    if len(text) <= LONGEST:
        return text
    start, end = max(0, at - AROUND), at + AROUND
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _cut(value: Any) -> Any:  # noqa: ANN401  as above
    """Return a value with the texts in it cut."""
    if isinstance(value, str):
        return _around(value, 0)
    if isinstance(value, Mapping):
        return {name: _cut(each) for name, each in value.items()}
    return [_cut(each) for each in value[:MOST]] if isinstance(value, list) else value

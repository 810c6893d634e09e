"""Members of a parsed body, by type. A member that is null counts as left out."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from api.http.field_errors import pointer_to
from shared.domain.inputs import WrongValue

T = TypeVar("T")

_KINDS: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def member(document: Mapping[str, Any], name: str, kind: type[T], under: str = "") -> T | None:
    """Return a member, None for one that is left out; raise WrongValue, with its pointer, for one of another type.

    `under`: the pointer to the document. Whole numbers are numbers too.
    """
    value = document.get(name)
    fits = isinstance(value, int | float if kind is float else kind)
    if value is None or (fits and (kind is bool or not isinstance(value, bool))):
        return value
    message = f"must be {_KINDS[kind]}"
    raise WrongValue(message, f"{under}/{name}")


def needed(document: Mapping[str, Any], name: str, kind: type[T], under: str = "") -> T:
    """Return a member; raise WrongValue also where it is left out."""
    value = member(document, name, kind, under)
    if value is None:
        message = "is required"
        raise WrongValue(message, f"{under}/{name}")
    return value


def one_of(document: Mapping[str, Any], name: str, known: Collection[str], under: str = "") -> str | None:
    """Return a member that is one of these words."""
    value = member(document, name, str, under)
    if value is None or value in known:
        return value
    message = f"must be one of {', '.join(sorted(known))}"
    raise WrongValue(message, f"{under}/{name}")


def check_names(document: Mapping[str, Any], known: Collection[str], under: str = "") -> None:
    """Raise WrongValue for a member that is not known, unless it is null."""
    for name, value in document.items():
        if value is not None and name not in known:
            message = "is not served here"
            raise WrongValue(message, pointer_to(name, under))


def is_object(value: object, where: str) -> Mapping[str, Any]:
    """Return the value; raise WrongValue unless it is an object."""
    if isinstance(value, dict):
        return value
    message = "must be an object"
    raise WrongValue(message, where)

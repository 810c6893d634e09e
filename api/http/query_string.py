"""The check of query strings: a parameter that the endpoint does not have is refused, not ignored."""

from collections.abc import Collection, Mapping, Sequence

from api.http.field_errors import pointer_to, unknown
from shared.errors import FieldError, InvalidRequest

MAX_PARAMETERS = 20

MAX_VALUE_CHARS = 200


def check_query(given: Mapping[str, Sequence[str]], known: Collection[str]) -> None:
    """Refuse parameters that the endpoint does not have, and those without exactly one value of sane length.

    `given`: each parameter with all its values, in their order. Raises InvalidRequest, which names each such parameter.
    """
    if len(given) > MAX_PARAMETERS:
        raise InvalidRequest([FieldError(pointer_to(""), f"may have at most {MAX_PARAMETERS} parameters")])
    detail = f"unknown parameter; known are {', '.join(known)}" if known else "unknown parameter; this takes none"
    errors = unknown(given, known, detail)
    errors += [
        FieldError(pointer_to(name), wrong)
        for name, values in given.items()
        if name in known and (wrong := _wrong(values)) is not None
    ]
    if errors:
        raise InvalidRequest(errors)


def _wrong(values: Sequence[str]) -> str | None:
    if len(values) > 1:
        return "must be given once"
    (value,) = values
    if not value:
        return "must have a value; leave the parameter out if you have none"
    if len(value) > MAX_VALUE_CHARS:
        return f"must have at most {MAX_VALUE_CHARS} characters"
    return None

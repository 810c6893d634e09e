"""Errors about responses that others go on from."""

from shared.errors import FieldError, InvalidRequest

PREVIOUS = "/previous_response_id"


def not_to_go_on_from(why: str) -> InvalidRequest:
    """Return the error for a response that is there, but can't be gone on from."""
    return InvalidRequest([FieldError(PREVIOUS, why)])

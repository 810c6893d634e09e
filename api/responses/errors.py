"""Errors about responses that others go on from."""

from shared.errors import FieldError, InvalidRequest

PREVIOUS = "/previous_response_id"


class PreviousResponseNotFound(InvalidRequest):
    """The response to go on from, or one before it, is not there."""

    code = "previous_response_not_found"
    title = "Previous response not found"

    def __init__(self, name: str) -> None:
        """`name`: the id of the response that is missing, as the client knows it."""
        message = (
            f"there is no response {name[:64]!r} to go on from: it was deleted, was not stored, or is older than"
            " RETENTION_DAYS. Send the whole conversation as input"
        )
        super().__init__([FieldError(PREVIOUS, message)])


def not_to_go_on_from(why: str) -> InvalidRequest:
    """Return the error for a response that is there, but can't be gone on from."""
    return InvalidRequest([FieldError(PREVIOUS, why)])

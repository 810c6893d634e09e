"""What is known of a response besides its job: what it was asked with."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.responses.input_items import Item

_ID = re.compile(r"resp_([0-9a-f]{32})")
_ITEM_ID = re.compile(r"[a-z]+_([0-9a-f]{32})_(?:in)?[0-9]+")


@dataclass(frozen=True, slots=True)
class ResponseRecord:
    """`previous_id`: of the response that it goes on from. `items`: its own input, without that of those before it.

    `parameters`: as `Parameters.shown`. `model`: as the client named it. `hit`: of an answer that a tier had, what it
    saved and which tier; None if its job made the answer. `stored`: others than its own call may read it.
    """

    id: UUID
    tenant: str
    job_id: UUID
    previous_id: UUID | None
    background: bool
    model: str
    items: Sequence[Item]
    parameters: Mapping[str, Any]
    hit: Mapping[str, Any] | None = None
    stored: bool = True


def response_name(response_id: UUID) -> str:
    """Return the id of a response as clients know it."""
    return f"resp_{response_id.hex}"


def response_id_in(name: str) -> UUID | None:
    """Return the id in what a client sends; None if it is not one of ours."""
    found = _ID.fullmatch(name)
    return None if found is None else UUID(found[1])


def response_id_of_item(name: str) -> UUID | None:
    """Return the id of the response that an item is of, by the item's id; None if that is not one of ours."""
    found = _ITEM_ID.fullmatch(name)
    return None if found is None else UUID(found[1])

"""Pages of items, as OpenAI lists them."""

from collections.abc import Sequence
from typing import Any

from api.responses.input_items import Item
from shared.errors import FieldError, InvalidRequest


def page_of(items: Sequence[Item], limit: int, order: str, after: str | None = None) -> dict[str, Any]:
    """Return at most `limit` of these items. `order`: `asc`, as they are, or `desc`. `after`: the id before the first.

    Raises InvalidRequest if no item has that id.
    """
    ordered = list(items) if order == "asc" else list(reversed(items))
    if after is not None:
        ids = [item["id"] for item in ordered]
        if after not in ids:
            raise InvalidRequest([FieldError("/after", "is the id of no item of this response")])
        ordered = ordered[ids.index(after) + 1 :]
    page = ordered[:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(ordered) > limit,
    }

"""Lists of the service, page by page."""

from collections.abc import Iterator, Mapping

from cli.service.client import Json, Service

PAGE = 100


def read_pages(service: Service, path: str, name: str, query: Mapping[str, object]) -> Iterator[list[Json]]:
    """Yield the pages of a list, newest first, until there is none left. `name`: of the list in its document."""
    cursor: str | None = None
    while True:
        document = service.get(path, {**query, "limit": query.get("limit", PAGE), "cursor": cursor})
        yield document[name]
        cursor = document["next_cursor"]
        if cursor is None:
            return


def read_list(service: Service, path: str, name: str, query: Mapping[str, object], limit: int) -> list[Json]:
    """Return at most `limit` entries of a list, newest first."""
    found: list[Json] = []
    for page in read_pages(service, path, name, {**query, "limit": min(limit, PAGE)}):
        found.extend(page)
        if len(found) >= limit:
            break
    return found[:limit]

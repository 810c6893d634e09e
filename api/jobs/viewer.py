"""Who looks at jobs and records: a tenant sees its own, an admin sees all."""

from typing import NamedTuple

from shared.domain.request import Client


class Viewer(NamedTuple):
    """A client of one tenant."""

    tenant: str
    key_id: str | None


def viewer_of(client: Client) -> Viewer | None:
    """Return whose records a client sees; None for those of everybody."""
    return None if client.is_admin else Viewer(client.tenant, client.key_id)

"""When this process last claimed a job of a client, so that those who are level get their turns one after another."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Any

from sqlalchemy import Row

REMEMBERED = 10_000
"""How many tenants and keys are remembered: those that were served last."""


class LastServed:
    """Numbers that grow with time: the number of a tenant or a key is higher, the later it was served.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._numbers: OrderedDict[tuple[str, ...], int] = OrderedDict()
        self._next = count(1)

    def note(self, rows: Sequence[Row[Any]]) -> None:
        """Take notice of jobs that were claimed."""
        number = next(self._next)
        for row in rows:
            for client in ((row.tenant,), (row.tenant, row.key_id)):
                self._numbers[client] = number
                self._numbers.move_to_end(client)
        while len(self._numbers) > REMEMBERED:
            self._numbers.popitem(last=False)

    def of(self, tenant: str, *key_id: str) -> int:
        """Return the number of a tenant or of one of its keys; 0 if it was not served, or is forgotten."""
        return self._numbers.get((tenant, *key_id), 0)

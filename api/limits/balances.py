"""What was left of budgets of tokens when this process reserved something the last time, for headers."""

import threading
from collections.abc import Mapping
from typing import NamedTuple

from api.limits.periods import seconds_left
from shared.domain.limits import PERIODS
from shared.domain.request import Client
from shared.jobs.ledger import OF_ALL_KEYS, Account, Balance
from shared.times import now

KEPT = 10_000


class TokenBalance(NamedTuple):
    """What is left of the tightest budget of tokens. `resets_in`: seconds."""

    limit: int
    remaining: int
    resets_in: int


class Balances:
    """The balances that this process has seen of late. Safe to use from many threads."""

    def __init__(self) -> None:
        self._tokens: dict[Account, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def note(self, balances: Mapping[Account, Balance]) -> None:
        """Remember what was found."""
        today = now().date().isoformat()
        with self._lock:
            for account, balance in balances.items():
                self._tokens.pop(account, None)
                self._tokens[account] = today, balance.tokens
            while len(self._tokens) > KEPT:
                del self._tokens[next(iter(self._tokens))]

    def of(self, client: Client) -> TokenBalance | None:
        """Return what is left for a client, None if it has no budget of tokens, or nothing is known."""
        if client.key_id is None or not (client.limits.limits_tokens or client.tenant_limits.limits_tokens):
            return None
        today = now().date().isoformat()
        found = []
        for key_id, limits in ((client.key_id, client.limits), (OF_ALL_KEYS, client.tenant_limits)):
            for period in PERIODS:
                limit = limits.budget("tokens", period)
                seen = self._tokens.get(Account(client.tenant, key_id, period))
                if limit is not None and seen is not None and seen[0] == today:
                    found.append(TokenBalance(int(limit), max(0, int(limit) - seen[1]), seconds_left(period)))
        return min(found, key=lambda each: each.remaining, default=None)

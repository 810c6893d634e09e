"""What audits may cost on one day, kept by all workers together in PostgreSQL."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text

from shared.db.engine import Database

_RESERVE = text("""
    INSERT INTO audit_spending AS mine (day, dollars)
    SELECT (now() AT TIME ZONE 'UTC')::date, CAST(:dollars AS numeric) WHERE CAST(:dollars AS numeric) <= :cap
    ON CONFLICT (day) DO UPDATE SET dollars = mine.dollars + excluded.dollars
        WHERE mine.dollars + excluded.dollars <= :cap
    RETURNING day
""")

_SETTLE = text("UPDATE audit_spending SET dollars = dollars + :difference WHERE day = :day")


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a call may cost at most, and the day that pays it."""

    day: date
    dollars: Decimal


class Spending:
    """The dollars of each day. A call is reserved before it is made, so that no crash and no second worker exceeds it.

    What was reserved for a call that never ended stays spent. Methods raise DatabaseUnavailable.
    """

    def __init__(self, database: Database, dollars_per_day: Decimal) -> None:
        self._database = database
        self._cap = dollars_per_day

    def reserve(self, dollars: Decimal) -> Reservation | None:
        """Reserve what a call may cost at most; None if today has no room for that."""
        rows = self._database.run(_RESERVE, {"dollars": dollars, "cap": self._cap})
        return Reservation(rows[0].day, dollars) if rows else None

    def settle(self, reservation: Reservation, cost: Decimal) -> None:
        """Put what the call has cost in place of what was reserved."""
        if cost != reservation.dollars:
            self._database.run(_SETTLE, {"day": reservation.day, "difference": cost - reservation.dollars})

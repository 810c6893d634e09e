"""Orders for faults: which call goes wrong, how, and how often."""

import json
import math
import threading
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from simulator.providers.wire import KINDS, ProviderRequest


class FaultKind(StrEnum):
    """The kinds of faults."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    LOADING = "loading"
    HTML = "html"
    UNAUTHORIZED = "unauthorized"
    PAYMENT_REQUIRED = "payment_required"
    NOT_FOUND = "not_found"
    GONE = "gone"
    BAD_REQUEST = "bad_request"
    #: The answer stops half way, with finish_reason "length".
    TRUNCATED = "truncated"
    EMPTY = "empty"
    #: 200 with a body that is not JSON.
    GARBAGE = "garbage"
    #: 200 with JSON of an unexpected shape.
    MISSHAPEN = "misshapen"
    #: The right answer, after `delay_seconds` (5 if not given).
    SLOW = "slow"
    #: No answer until the faults are cleared (or `delay_seconds` have passed), then the right one.
    HANG = "hang"
    #: Headers and half the body, then the connection closes.
    CUT = "cut"
    #: The connection closes before any header.
    RESET = "reset"
    #: Headers, then one byte every `delay_seconds` (0.2 if not given).
    DRIP = "drip"
    #: The right answer; `chunk_seconds` says at which pace a stream delivers it.
    STREAM_PACED = "stream_paced"
    #: The faults of streams strike when `after_chunks` have been sent. Here the connection is cut.
    STREAM_CUT = "stream_cut"
    #: The stream ends as if it were complete, but without its last event.
    STREAM_END = "stream_end"
    #: Nothing comes until the faults are cleared (or `delay_seconds` have passed), then the rest.
    STREAM_STALL = "stream_stall"
    #: An event that is not JSON, then the rest.
    STREAM_GARBAGE = "stream_garbage"
    #: An event with an error, then the end of the stream without its last event.
    STREAM_ERROR = "stream_error"

    @property
    def is_of_streams(self) -> bool:
        """Tell whether this kind concerns only calls that ask for a stream."""
        return self.value.startswith("stream_")


class FaultRefused(Exception):
    """The order for a fault makes no sense."""


@dataclass(frozen=True)
class Fault:
    """One order. None means any provider, any model, any number of calls, the usual status or delay."""

    fault: FaultKind
    provider: str | None = None
    model: str | None = None
    count: int | None = None
    status: int | None = None
    retry_after: str | None = None
    delay_seconds: float | None = None
    match: str | None = None
    #: How many chunks a stream sends before the fault; the last is before the end of the stream.
    after_chunks: int | None = None
    #: The pace of this call's stream, in place of the usual one.
    chunk_seconds: float | None = None

    def concerns(self, asked: ProviderRequest) -> bool:
        """Return whether the fault applies to this call."""
        return (
            (not self.fault.is_of_streams or asked.wants_stream)
            and self.provider in (None, asked.provider)
            and self.model in (None, asked.model)
            and (self.match is None or _holds(asked.body, self.match))
        )


@dataclass(frozen=True)
class ActiveFault:
    """A fault that affects a call; `released` is set when the faults are cleared."""

    fault: Fault
    released: threading.Event


class FaultPlan:
    """The ordered faults, applied in the order they were added. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[tuple[Fault, int | None]] = []
        self._released = threading.Event()

    def add(self, fault: Fault) -> None:
        """Add a fault after the others."""
        with self._lock:
            self._orders.append((fault, fault.count))

    def take(self, asked: ProviderRequest) -> ActiveFault | None:
        """Return the first fault that applies to this call, and reduce its count by one; None if there is none."""
        with self._lock:
            for place, (fault, left) in enumerate(self._orders):
                if fault.concerns(asked):
                    self._orders[place : place + 1] = [(fault, left and left - 1)] if left != 1 else []
                    return ActiveFault(fault, self._released)
        return None

    def clear(self) -> None:
        """Delete all faults and release every call that they hold."""
        with self._lock:
            self._orders.clear()
            self._released.set()
            self._released = threading.Event()

    def listing(self) -> list[dict[str, Any]]:
        """Return the remaining faults, each with its remaining `count`."""
        with self._lock:
            return [{**asdict(fault), "count": left} for fault, left in self._orders]


def read_fault(document: dict[str, Any]) -> Fault:
    """Return the fault that a JSON object orders; raise FaultRefused if it is invalid."""
    unknown = document.keys() - Fault.__dataclass_fields__.keys()
    if unknown:
        message = f"unknown members: {', '.join(sorted(unknown))}"
        raise FaultRefused(message)
    try:
        kind = FaultKind(document.get("fault", ""))
    except ValueError as error:
        message = f"fault must be one of {', '.join(FaultKind)}"
        raise FaultRefused(message) from error
    members = {name: value for name, value in document.items() if value is not None and name != "fault"}
    _check_members(members)
    if "retry_after" in members:
        members["retry_after"] = str(members["retry_after"])
    return Fault(fault=kind, **members)


def _check_members(members: dict[str, Any]) -> None:
    rules: dict[str, tuple[str, bool]] = {
        "provider": (f"one of {', '.join(KINDS)}", members.get("provider") in KINDS),
        "model": ("a string", isinstance(members.get("model"), str)),
        "match": ("a string", isinstance(members.get("match"), str)),
        "count": ("a whole number above 0", _is_whole(members.get("count"), 1)),
        "status": ("a status from 200 to 599", _is_whole(members.get("status"), 200, 599)),
        "delay_seconds": ("a number from 0", _is_number(members.get("delay_seconds"))),
        "after_chunks": ("a whole number from 0", _is_whole(members.get("after_chunks"), 0)),
        "chunk_seconds": ("a number from 0", _is_number(members.get("chunk_seconds"))),
        "retry_after": ("a string or a number", isinstance(members.get("retry_after"), str | int | float)),
    }
    for name in members:
        wanted, right = rules[name]
        if not right:
            message = f"{name} must be {wanted}"
            raise FaultRefused(message)


def _is_whole(value: object, low: int, high: int | None = None) -> bool:
    return type(value) is int and value >= low and (high is None or value <= high)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _holds(body: bytes, match: str) -> bool:
    # A client may send a character in JSON as itself or escaped.
    return match.encode() in body or json.dumps(match)[1:-1].encode() in body

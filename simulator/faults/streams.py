"""Event streams: sent at a pace, and broken in the middle where a fault is ordered."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.faults.connection import wait_with
from simulator.faults.faults import ActiveFault, FaultKind
from simulator.providers.chunks import DONE, event

#: How many chunks are sent before a fault when its order does not say: the role and the first words.
USUAL_CHUNKS = 2
ERROR = {
    "message": "The stream was broken off by order of the test.",
    "type": "server_error",
    "param": None,
    "code": None,
}


@dataclass(frozen=True)
class EventStream:
    """The events of an answer without its end, and how they are sent. `client` is None where there is no connection."""

    events: list[bytes]
    pace_seconds: float
    active_fault: ActiveFault | None
    client: socket.socket | None

    def send(self) -> Iterator[bytes]:
        """Yield the events when they are due; raise ConnectionAbortedError to close the connection."""
        struck_after, begun = self._struck_after(), time.monotonic()
        for place, sent in enumerate([*self.events, DONE]):
            if place and place < len(self.events):
                # Counted from the begin, so that the pace does not slow down by what sending takes.
                self._wait(begun + place * self.pace_seconds - time.monotonic())
            if place == struck_after and self.active_fault:
                yield from self._strike(self.active_fault)
                if self.active_fault.fault.fault in (FaultKind.STREAM_END, FaultKind.STREAM_ERROR):
                    return
            yield sent

    def _struck_after(self) -> int | None:
        """Return how many events are sent before the fault, at most all but the end; None without such a fault."""
        if self.active_fault is None:
            return None
        fault = self.active_fault.fault
        if fault.fault is FaultKind.CUT:
            return len(self.events) // 2
        ordered = USUAL_CHUNKS if fault.after_chunks is None else fault.after_chunks
        return min(ordered, len(self.events)) if fault.fault.is_of_streams else None

    def _strike(self, active_fault: ActiveFault) -> Iterator[bytes]:
        match active_fault.fault.fault:
            case FaultKind.CUT | FaultKind.STREAM_CUT:
                raise ConnectionAbortedError
            case FaultKind.STREAM_STALL:
                seconds = active_fault.fault.delay_seconds
                self._wait(float("inf") if seconds is None else seconds, active_fault.released)
            case FaultKind.STREAM_GARBAGE:
                yield b'data: {"id": "simulated", "choices": [{"delta": \n\n'
            case FaultKind.STREAM_ERROR:
                yield event({"error": ERROR})

    def _wait(self, seconds: float, released: threading.Event | None = None) -> None:
        if not wait_with(self.client, seconds, released):
            raise ConnectionAbortedError

"""The way every provider call goes: entered in the call log, delayed, struck by a fault or answered."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from flask import Response, request

from simulator.call_log import CallLog
from simulator.faults.connection import broken_off, cut_short, dripping, wait_with
from simulator.faults.corruptions import CORRUPTIONS
from simulator.faults.faults import ActiveFault, FaultKind, FaultPlan
from simulator.faults.streams import EventStream
from simulator.providers.chunks import DONE, events_of
from simulator.providers.refusals import REFUSALS, refusal
from simulator.providers.wire import ProviderReply, ProviderRequest, RequestRefused
from simulator.server import KEEP_OPEN

#: How long a fault of this kind lasts when its order does not say.
USUAL_DELAYS = {FaultKind.SLOW: 5.0, FaultKind.HANG: math.inf}
USUAL_DRIP = 0.2


class ProviderExchange:
    """Answers provider calls.

    `latency_seconds` is what every call without a delay of its own takes before its answer begins, `pace_seconds` what
    every chunk but the first of a stream takes, unless a fault says otherwise.
    """

    def __init__(self, call_log: CallLog, faults: FaultPlan) -> None:
        self._call_log = call_log
        self._faults = faults
        self.latency_seconds = 0.0
        self.pace_seconds = 0.0

    def serve(self, provider: str, model: str | None, answer: Callable[[ProviderRequest], ProviderReply]) -> Response:
        """Answer the current HTTP request with `answer`, or with the fault that was ordered for it."""
        asked = ProviderRequest(
            provider=provider,
            path=request.path,
            model=model,
            content_type=request.mimetype,
            authorization=request.headers.get("Authorization", ""),
            body=request.get_data(),
        )
        active_fault = self._faults.take(asked)
        number = self._call_log.open(asked, active_fault.fault.fault if active_fault else None)
        streaming = False
        try:
            response = self._respond(number, asked, active_fault, answer)
            streaming = response.is_streamed
        finally:
            if not streaming:
                self._call_log.close(number)
        if streaming:
            response.call_on_close(lambda: self._call_log.close(number))
        return response

    def _respond(
        self,
        number: int,
        asked: ProviderRequest,
        active_fault: ActiveFault | None,
        answer: Callable[[ProviderRequest], ProviderReply],
    ) -> Response:
        kind = active_fault.fault.fault if active_fault else None
        if kind is FaultKind.RESET or not self._wait_out(active_fault):
            return broken_off()
        reply = _reply(asked, active_fault, answer)
        self._call_log.answer(number, asked.model, reply.status)
        events = events_of(asked, reply)
        if events is not None:
            return self._stream(reply, events, active_fault)
        if kind is FaultKind.CUT:
            return cut_short(reply)
        if active_fault and kind is FaultKind.DRIP:
            return _drip(reply, active_fault)
        headers = {**reply.headers, "Connection": KEEP_OPEN}
        return Response(reply.body, reply.status, headers, content_type=reply.content_type)

    def _stream(self, reply: ProviderReply, events: list[bytes], active_fault: ActiveFault | None) -> Response:
        reply = replace(reply, body=b"".join([*events, DONE]), content_type="text/event-stream")
        if active_fault and active_fault.fault.fault is FaultKind.DRIP:
            return _drip(reply, active_fault)
        ordered = active_fault.fault.chunk_seconds if active_fault else None
        pace = self.pace_seconds if ordered is None else ordered
        stream = EventStream(events, pace, active_fault, request.environ.get("werkzeug.socket"))
        headers = {**reply.headers, "Cache-Control": "no-cache"}
        return Response(stream.send(), reply.status, headers, content_type=reply.content_type)

    def _wait_out(self, active_fault: ActiveFault | None) -> bool:
        """Wait as long as the call has to take; False when a hanging client went away meanwhile."""
        delay = _delay(active_fault) if active_fault else None
        if active_fault is None or delay is None:
            time.sleep(self.latency_seconds)
            return True
        if active_fault.fault.fault is FaultKind.HANG:
            return wait_with(request.environ.get("werkzeug.socket"), delay, active_fault.released)
        active_fault.released.wait(delay)
        return True


def _drip(reply: ProviderReply, active_fault: ActiveFault) -> Response:
    given = active_fault.fault.delay_seconds
    return dripping(reply, USUAL_DRIP if given is None else given, active_fault.released)


def _delay(active_fault: ActiveFault) -> float | None:
    """Return how long the answer is kept back before it begins, None if the usual latency holds."""
    fault = active_fault.fault
    if fault.fault is FaultKind.DRIP or fault.fault.is_of_streams:
        return None
    return USUAL_DELAYS.get(fault.fault) if fault.delay_seconds is None else fault.delay_seconds


def _reply(
    asked: ProviderRequest, active_fault: ActiveFault | None, answer: Callable[[ProviderRequest], ProviderReply]
) -> ProviderReply:
    if active_fault and active_fault.fault.fault in REFUSALS:
        return refusal(active_fault.fault, asked)
    try:
        reply = answer(asked)
    except RequestRefused as refused:
        return refused.reply
    corrupt = CORRUPTIONS.get(active_fault.fault.fault) if active_fault else None
    return corrupt(reply) if corrupt and reply.status == HTTPStatus.OK else reply

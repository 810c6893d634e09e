"""The way every provider call goes: entered in the call log, delayed, struck by a fault or answered."""

import math
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from flask import Response, request

from simulator.call_log import CallLog
from simulator.faults.connection import broken_off, cut_short, dripping, hung_up
from simulator.faults.corruptions import CORRUPTIONS
from simulator.faults.faults import ActiveFault, FaultKind, FaultPlan
from simulator.providers.refusals import REFUSALS, refusal
from simulator.providers.wire import ProviderReply, ProviderRequest, RequestRefused

#: How long a fault of this kind lasts when its order does not say.
USUAL_DELAYS = {FaultKind.SLOW: 5.0, FaultKind.HANG: math.inf, FaultKind.DRIP: 0.2}
#: How often a hanging call looks whether its client is still there, in seconds.
HANG_CHECK = 0.05


class ProviderExchange:
    """Answers provider calls. `latency_seconds` is what every call without a delay of its own takes."""

    def __init__(self, call_log: CallLog, faults: FaultPlan) -> None:
        self._call_log = call_log
        self._faults = faults
        self.latency_seconds = 0.0

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
        if kind is FaultKind.CUT:
            return cut_short(reply)
        if active_fault and kind is FaultKind.DRIP:
            return dripping(reply, _delay(active_fault) or 0.0, active_fault.released)
        return Response(reply.body, reply.status, dict(reply.headers), content_type=reply.content_type)

    def _wait_out(self, active_fault: ActiveFault | None) -> bool:
        """Wait as long as the call has to take; False when a hanging client went away meanwhile."""
        delay = _delay(active_fault) if active_fault and active_fault.fault.fault is not FaultKind.DRIP else None
        if active_fault is None or delay is None:
            time.sleep(self.latency_seconds)
            return True
        if active_fault.fault.fault is FaultKind.HANG:
            return _hang(delay, active_fault.released, request.environ.get("werkzeug.socket"))
        active_fault.released.wait(delay)
        return True


def _hang(seconds: float, released: threading.Event, client: socket.socket | None) -> bool:
    end = time.monotonic() + seconds
    while not released.wait(min(HANG_CHECK, max(0.0, end - time.monotonic()))):
        if client is not None and hung_up(client):
            return False
        if time.monotonic() >= end:
            break
    return True


def _delay(active_fault: ActiveFault) -> float | None:
    given = active_fault.fault.delay_seconds
    return USUAL_DELAYS.get(active_fault.fault.fault) if given is None else given


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

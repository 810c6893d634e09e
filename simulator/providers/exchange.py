"""The way every provider call goes: entered in the ledger, delayed, struck by a fault or answered."""

import math
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from flask import Response, request

from simulator.call_log import Ledger
from simulator.faults.connection import broken_off, cut_short, dripping, hung_up
from simulator.faults.corruptions import DISTORTIONS
from simulator.faults.faults import FaultKind, FaultPlan, Trouble
from simulator.providers.refusals import REFUSALS, refusal
from simulator.providers.wire import ProviderRequest, Refused, Reply

#: How long a fault of this kind lasts when its order does not say.
USUAL_DELAYS = {FaultKind.SLOW: 5.0, FaultKind.HANG: math.inf, FaultKind.DRIP: 0.2}
#: How often a hanging call looks whether its client is still there, in seconds.
HANG_CHECK = 0.05


class Exchange:
    """Answers provider calls. `latency_seconds` is what every call without a delay of its own takes."""

    def __init__(self, ledger: Ledger, faults: FaultPlan) -> None:
        """Take the ledger to write and the faults to obey."""
        self._ledger = ledger
        self._faults = faults
        self.latency_seconds = 0.0

    def serve(self, provider: str, model: str | None, answer: Callable[[ProviderRequest], Reply]) -> Response:
        """Answer the current HTTP request with `answer`, or with the trouble that was ordered for it."""
        asked = ProviderRequest(
            provider=provider,
            path=request.path,
            model=model,
            content_type=request.mimetype,
            authorization=request.headers.get("Authorization", ""),
            body=request.get_data(),
        )
        trouble = self._faults.take(asked)
        number = self._ledger.open(asked, trouble.fault.fault if trouble else None)
        streaming = False
        try:
            response = self._respond(number, asked, trouble, answer)
            streaming = response.is_streamed
        finally:
            if not streaming:
                self._ledger.close(number)
        if streaming:
            response.call_on_close(lambda: self._ledger.close(number))
        return response

    def _respond(
        self, number: int, asked: ProviderRequest, trouble: Trouble | None, answer: Callable[[ProviderRequest], Reply]
    ) -> Response:
        kind = trouble.fault.fault if trouble else None
        if kind is FaultKind.RESET or not self._outlast(trouble):
            return broken_off()
        reply = _reply(asked, trouble, answer)
        self._ledger.answer(number, asked.model, reply.status)
        if kind is FaultKind.CUT:
            return cut_short(reply)
        if trouble and kind is FaultKind.DRIP:
            return dripping(reply, _delay(trouble) or 0.0, trouble.released)
        return Response(reply.body, reply.status, dict(reply.headers), content_type=reply.content_type)

    def _outlast(self, trouble: Trouble | None) -> bool:
        """Wait as long as the call has to take; False when a hanging client went away meanwhile."""
        delay = _delay(trouble) if trouble and trouble.fault.fault is not FaultKind.DRIP else None
        if trouble is None or delay is None:
            time.sleep(self.latency_seconds)
            return True
        if trouble.fault.fault is FaultKind.HANG:
            return _hang(delay, trouble.released, request.environ.get("werkzeug.socket"))
        trouble.released.wait(delay)
        return True


def _hang(seconds: float, released: threading.Event, client: socket.socket | None) -> bool:
    end = time.monotonic() + seconds
    while not released.wait(min(HANG_CHECK, max(0.0, end - time.monotonic()))):
        if client is not None and hung_up(client):
            return False
        if time.monotonic() >= end:
            break
    return True


def _delay(trouble: Trouble) -> float | None:
    given = trouble.fault.delay_seconds
    return USUAL_DELAYS.get(trouble.fault.fault) if given is None else given


def _reply(asked: ProviderRequest, trouble: Trouble | None, answer: Callable[[ProviderRequest], Reply]) -> Reply:
    if trouble and trouble.fault.fault in REFUSALS:
        return refusal(trouble.fault, asked)
    try:
        reply = answer(asked)
    except Refused as refused:
        return refused.reply
    distort = DISTORTIONS.get(trouble.fault.fault) if trouble else None
    return distort(reply) if distort and reply.status == HTTPStatus.OK else reply

"""`/admin/...`: faults, the latency, the pace of streams, the prompt cache, the call log. All bodies are JSON."""

import math
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from simulator.call_log import CallLog
from simulator.faults.faults import FaultPlan, FaultRefused, read_fault
from simulator.providers.exchange import ProviderExchange
from simulator.providers.prompt_cache import PromptCache


def admin_views(
    faults: FaultPlan, call_log: CallLog, exchange: ProviderExchange, prompt_cache: PromptCache
) -> Blueprint:
    """Return the views that control the simulator; an invalid body is a 400 with {"error": "..."}."""
    views = Blueprint("admin", __name__, url_prefix="/admin")

    @views.errorhandler(FaultRefused)
    def refused(error: FaultRefused) -> ResponseReturnValue:
        return {"error": str(error)}, 400

    _add_faults(views, faults)
    _add_latency(views, exchange)
    _add_prompt_cache(views, prompt_cache)

    @views.get("/calls")
    def calls() -> ResponseReturnValue:
        return call_log.report()

    @views.delete("/calls")
    def forget_calls() -> ResponseReturnValue:
        call_log.reset()
        return "", 204

    return views


def _add_faults(views: Blueprint, faults: FaultPlan) -> None:
    @views.post("/faults")
    def add_fault() -> ResponseReturnValue:
        faults.add(read_fault(_body()))
        return faults.listing(), 201

    @views.get("/faults")
    def list_faults() -> ResponseReturnValue:
        return faults.listing()

    @views.delete("/faults")
    def clear_faults() -> ResponseReturnValue:
        faults.clear()
        return "", 204


def _add_latency(views: Blueprint, exchange: ProviderExchange) -> None:
    @views.get("/latency")
    def latency() -> ResponseReturnValue:
        return {"seconds": exchange.latency_seconds}

    @views.put("/latency")
    def set_latency() -> ResponseReturnValue:
        exchange.latency_seconds = _seconds()
        return {"seconds": exchange.latency_seconds}

    @views.get("/pace")
    def pace() -> ResponseReturnValue:
        return {"seconds": exchange.pace_seconds}

    @views.put("/pace")
    def set_pace() -> ResponseReturnValue:
        exchange.pace_seconds = _seconds()
        return {"seconds": exchange.pace_seconds}


def _seconds() -> float:
    seconds = _body().get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        message = "seconds must be a number from 0"
        raise FaultRefused(message)
    return float(seconds)


def _add_prompt_cache(views: Blueprint, prompt_cache: PromptCache) -> None:
    @views.get("/prompt-cache")
    def prompt_cache_state() -> ResponseReturnValue:
        return {"on": prompt_cache.enabled}

    @views.put("/prompt-cache")
    def switch_prompt_cache() -> ResponseReturnValue:
        on = _body().get("on")
        if not isinstance(on, bool):
            message = "on must be true or false"
            raise FaultRefused(message)
        prompt_cache.switch(on=on)
        return {"on": on}


def _body() -> dict[str, Any]:
    document = request.get_json(force=True, silent=True)
    if not isinstance(document, dict):
        message = "the body must be a JSON object"
        raise FaultRefused(message)
    return document

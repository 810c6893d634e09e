"""`GET .../models` of each kind of provider. It costs nothing, so it is no call of the call log."""

from collections.abc import Iterable
from typing import Any

from simulator.providers.completions import CREATED

CONTEXT = 131_072


def groq_models(names: Iterable[str]) -> dict[str, Any]:
    """Return Groq's list of these models."""
    more = {"active": True, "context_window": CONTEXT, "public_apps": None, "max_completion_tokens": CONTEXT // 2}
    return _listed({**_model(name), **more} for name in sorted(names))


def hugging_face_models(names: Iterable[str]) -> dict[str, Any]:
    """Return the list of these models that Hugging Face's router gives."""
    architecture = {"input_modalities": ["text", "image"], "output_modalities": ["text"]}
    served = {"provider": "simulated", "status": "live", "context_length": CONTEXT, "supports_tools": True}
    more = {"architecture": architecture, "providers": [{**served, "supports_structured_output": True}]}
    return _listed({**_model(name), **more} for name in sorted(names))


def openai_models(names: Iterable[str]) -> dict[str, Any]:
    """Return the list of these models that vLLM gives."""
    return _listed(
        {**_model(name), "root": name, "parent": None, "max_model_len": CONTEXT, "permission": []}
        for name in sorted(names)
    )


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "simulated"}


def _listed(models: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data": list(models)}

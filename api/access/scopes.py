"""Which scopes each endpoint asks for. An endpoint that is not listed asks for `admin`."""

from collections.abc import Mapping

from shared.config import Settings

PREDICT_SCOPE = "predict"
POLL_SCOPES = ("predict", "read")
"""Who asks may also see what becomes of it."""

METRICS = ("metrics", "all_metrics")
"""Public if so set. Those of all processes say what all tenants spend, so they are for operators otherwise."""

PUBLIC = frozenset(
    {
        "front_page",
        "page_assets",
        "docs_assets",
        "api-docs.openapi_json",
        "docs",
        "error_page",
        "error_style",
        "health.health",
        "health.live",
        "health.ready",
    }
)
"""Endpoints that ask for no key."""

ANY: Mapping[str, tuple[str, ...]] = {
    "predict.predict": (PREDICT_SCOPE,),
    "explain.explain_request": (PREDICT_SCOPE,),
    "explain.explain_chat_completion": (PREDICT_SCOPE,),
    "explain.explain_response": (PREDICT_SCOPE,),
    "explain.explain_embeddings": (PREDICT_SCOPE,),
    "jobs.get_job": POLL_SCOPES,
    "job_alias": POLL_SCOPES,
    "jobs.cancel_job": (PREDICT_SCOPE,),
    "jobs.retry_job": (PREDICT_SCOPE,),
    "jobs.list_jobs": ("read",),
    "jobs.list_provider_calls": ("read",),
    "requests.list_requests": ("read",),
    "requests.get_request": ("read",),
    "statistics.read_statistics": ("read",),
    "completions.create_chat_completion": (PREDICT_SCOPE,),
    "completion_alias": (PREDICT_SCOPE,),
    "embeddings.create_embeddings": (PREDICT_SCOPE,),
    "embedding_alias": (PREDICT_SCOPE,),
    "completions.list_models": POLL_SCOPES,
    "models_alias": POLL_SCOPES,
    "completions.get_model": POLL_SCOPES,
    "model_alias": POLL_SCOPES,
    **dict.fromkeys(("responses.create_response", "response_alias"), (PREDICT_SCOPE,)),
    **dict.fromkeys(("responses.get_response", "get_response_alias"), POLL_SCOPES),
    **dict.fromkeys(("responses.delete_response", "delete_response_alias"), (PREDICT_SCOPE,)),
    **dict.fromkeys(("responses.cancel_response", "cancel_response_alias"), (PREDICT_SCOPE,)),
    **dict.fromkeys(("responses.list_input_items", "input_items_alias"), POLL_SCOPES),
    "tasks.list_tasks": POLL_SCOPES,
    "limits.get_limits": POLL_SCOPES,
    "cache.purge_by_task_type": ("cache",),
    "cache.purge_by_key": ("cache",),
    "metrics": ("read",),
}
"""The scopes of which one is enough, by the name of the endpoint."""


def is_public(endpoint: str, settings: Settings) -> bool:
    """Return whether an endpoint asks for no key."""
    return endpoint in PUBLIC or (endpoint in METRICS and settings.metrics_public)


def scopes_of(endpoint: str) -> tuple[str, ...]:
    """Return the scopes of which one is enough for an endpoint."""
    return ANY.get(endpoint, ("admin",))

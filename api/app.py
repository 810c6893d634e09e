"""The Flask application."""

import logging
import re

from flask import Flask, Response, current_app, g, request
from flask_smorest import Api
from werkzeug.exceptions import HTTPException, NotFound

from api.bootstrap import ApiServices, build_api
from api.dialects.completions import CompletionDialect
from api.dialects.embeddings import EmbeddingEndpoint
from api.dialects.responses import ResponseCall, ResponseEndpoint
from api.dialects.tasks import TaskDialect
from api.error_page import serve_error_page
from api.flask_adapter import admit, choose_request_id, endpoints, finish, leave, origins, to_response
from api.flask_adapter import services as current_services
from api.health import make_checks
from api.http.intake import Rules, rules_of
from api.http.origins import Origins
from api.http.outages import while_reading
from api.http.paths import nothing_at
from api.http.problems import error_reply, http_reply, unexpected_reply
from api.http.request_head import check_head
from api.pages.docs import serve_docs
from api.pages.headers import guard
from api.pages.page import serve_page
from api.purging import PurgeSlots
from api.recording import record_refused
from api.schemas.bodies import describe_bodies
from api.schemas.compatible_examples import describe_compatible_examples
from api.schemas.introduction import INFO
from api.schemas.job_examples import describe_job_examples
from api.schemas.jobs import describe_jobs
from api.schemas.openapi import SECURITY, InOrder, describe_keys, drop_unused, name_or_null, portable_pattern
from api.schemas.refusals import Problem, describe_errors
from api.tracing import CallIds
from api.views import (
    cache,
    completions,
    embeddings,
    explain,
    health,
    jobs,
    keys,
    limits,
    overview,
    predict,
    requests,
    responses,
    statistics,
    tasks,
)
from api.views.query import check_query_of_view
from shared import errors
from shared.config import load_settings
from shared.domain.catalogue import Catalogue
from shared.errors import AskOnceError, RequestError

VERSION = "0.1.0"

PREFIX = "/api/v1"
PREDICT = f"{PREFIX}/predict"
COMPATIBLE = ("/v1", "/openai/v1")
"""Prefixes of the endpoints for clients of OpenAI's API. The groq SDK always uses the second one."""
CHAT_COMPLETIONS = tuple(f"{prefix}/chat/completions" for prefix in COMPATIBLE)
RESPONSES = tuple(f"{prefix}/responses" for prefix in COMPATIBLE)
EMBEDDINGS = tuple(f"{prefix}/embeddings" for prefix in COMPATIBLE)
READING = frozenset({"GET", "HEAD"})
MAX_LOGGED_PATH = 200
PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

logger = logging.getLogger(__name__)

OPENAPI = {
    "API_TITLE": "AskOnce",
    "API_VERSION": VERSION,
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
}


class _Api(Api):
    """flask-smorest, with our error documents in place of its own."""

    DEFAULT_ERROR_RESPONSE_NAME = "Problem"
    ERROR_SCHEMA = Problem

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Return a problem document."""
        if isinstance(error, NotFound):
            known = [_PARAMETER.sub(r"{\1}", rule.rule) for rule in current_app.url_map.iter_rules()]
            return to_response(error_reply(errors.NotFound(nothing_at(request.path, known))))
        return to_response(http_reply(error))


def create_app(services: ApiServices | None = None) -> Flask:
    """Return the application; without `services` they are built from the settings. Connects to nothing yet."""
    services = services if services is not None else build_api(load_settings())
    app = describe(services.catalogue, auth=services.settings.auth)
    serve_from(services, app)
    return app


def serve_from(services: ApiServices, app: Flask) -> None:
    """Let an application, of the same catalogue, serve from these services."""
    app.extensions["askonce"] = services
    rules = rules_of(services.settings, services.catalogue)
    completions = CompletionDialect(services.completions, rules.max_input_chars, rules.max_body_bytes)
    dialects = {PREDICT: TaskDialect(rules), **dict.fromkeys(CHAT_COMPLETIONS, completions)}
    responding, embedding = _response_endpoint(services, completions), _embedding_endpoint(services, rules)
    app.extensions["askonce_dialects"] = dialects
    app.extensions["askonce_responses"] = responding
    app.extensions["askonce_embeddings"] = embedding
    app.extensions["askonce_endpoints"] = {
        **dialects,
        **dict.fromkeys(RESPONSES, ResponseCall(responding)),
        **dict.fromkeys(EMBEDDINGS, embedding),
    }
    app.extensions["askonce_origins"] = Origins(services.settings.cors_origins)
    app.extensions["askonce_purge_slots"] = PurgeSlots()
    app.extensions["askonce_checks"] = make_checks(services)


def _response_endpoint(services: ApiServices, completions: CompletionDialect) -> ResponseEndpoint:
    settings = services.settings
    limit_names = {name: provider.limit_name for name, provider in settings.providers.items()}
    return ResponseEndpoint(
        services.completions, limit_names, services.responses, completions, settings.max_input_chars
    )


def _embedding_endpoint(services: ApiServices, rules: Rules) -> EmbeddingEndpoint:
    return EmbeddingEndpoint(services.embeddable, rules.max_input_chars, rules.max_body_bytes)


def describe(catalogue: Catalogue, *, auth: bool) -> Flask:
    """Return the endpoints and their OpenAPI document, without what they serve from."""
    app = Flask("askonce", static_folder=None)
    app.config.update(OPENAPI)
    security = {"security": SECURITY} if auth else {}
    app.config["API_SPEC_OPTIONS"] = {"info": INFO, **security}
    app.url_map.merge_slashes = False
    app.before_request(lambda: choose_request_id(request))
    app.before_request(_check_head)
    app.after_request(finish)
    app.teardown_request(leave)
    api = _Api(app, spec_kwargs={"extra_plugins": [InOrder()]})
    for describing in (name_or_null, portable_pattern):
        api.ma_plugin.converter.add_attribute_function(describing)
    describe_errors(api)
    describe_keys(api)
    describe_bodies(api, catalogue)
    describe_jobs(api)
    describe_job_examples(api, catalogue)
    describe_compatible_examples(api)
    for module in (predict, explain, jobs, tasks):
        api.register_blueprint(module.blueprint, url_prefix=PREFIX)
    for compatible in (completions, responses, embeddings):
        api.register_blueprint(compatible.blueprint, url_prefix=COMPATIBLE[0])
    for module in (requests, statistics, overview, cache, limits, keys, health):
        api.register_blueprint(module.blueprint, url_prefix=PREFIX)
    drop_unused(api)
    _add_aliases(app)
    app.register_error_handler(AskOnceError, _refused)
    app.register_error_handler(Exception, _unexpected)
    app.add_url_rule("/metrics", "metrics", _metrics)
    app.add_url_rule("/metrics/all", "all_metrics", _all_metrics)
    serve_page(app, VERSION, auth=auth)
    serve_docs(app)
    serve_error_page(app)
    app.after_request(guard)
    return app


def _refused(error: AskOnceError) -> Response:
    return to_response(error_reply(while_reading(error) if request.method in READING else error))


def _add_aliases(app: Flask) -> None:
    """Serve, under other paths too, what clients look for there."""
    app.add_url_rule("/jobs/<job_id>", "job_alias", jobs.get_job)
    alias = COMPATIBLE[1]
    app.add_url_rule(
        f"{alias}/chat/completions", "completion_alias", completions.create_chat_completion, methods=["POST"]
    )
    app.add_url_rule(f"{alias}/responses", "response_alias", responses.create_response, methods=["POST"])
    one = f"{alias}/responses/<response_id>"
    app.add_url_rule(one, "get_response_alias", responses.get_response)
    app.add_url_rule(one, "delete_response_alias", responses.delete_response, methods=["DELETE"])
    app.add_url_rule(f"{one}/cancel", "cancel_response_alias", responses.cancel_response, methods=["POST"])
    app.add_url_rule(f"{one}/input_items", "input_items_alias", responses.list_input_items)
    app.add_url_rule(f"{alias}/embeddings", "embedding_alias", embeddings.create_embeddings, methods=["POST"])
    app.add_url_rule(f"{alias}/models", "models_alias", completions.list_models)
    app.add_url_rule(f"{alias}/models/<path:name>", "model_alias", completions.get_model)


def _check_head() -> Response | None:
    """Refuse a request by its head, its sender or its query string; a call that asks is put on record all the same.

    Returns the response to a browser that only asks what a page of another origin may send.
    """
    services, origin = current_services(), request.headers.get("Origin")
    try:
        check_head(request, services.settings.allowed_hosts)
        asked = origins().preflight(request.method, origin, request.headers.get("Access-Control-Request-Method"))
        if asked is not None:
            return to_response(asked)
        origins().check(request.method, origin, request.environ.get("HTTP_HOST", ""))
        admit(request, services)
        check_query_of_view()
    except RequestError as err:
        if request.method == "POST" and (asked_in := endpoints().get(request.path)) is not None:
            client = services.access.known_client(request.headers)
            record_refused(CallIds(g.request_id, g.trace), client, asked_in, err, services)
        raise
    return None


def _unexpected(error: Exception) -> Response:
    logger.error("Unexpected error", exc_info=error, extra={"path": request.path[:MAX_LOGGED_PATH]})
    return to_response(unexpected_reply())


def _metrics() -> Response:
    return Response(current_services().metrics.render(), content_type=PROMETHEUS_TEXT)


def _all_metrics() -> Response:
    services = current_services()
    workers = services.operation.board.read_metrics()
    return Response(services.metrics.render_with(workers), content_type=PROMETHEUS_TEXT)

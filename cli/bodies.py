"""Reads the bodies of requests as the API does, with the settings of an installation, and without any server."""

from collections.abc import Mapping
from typing import Any, Literal

from api.dialects.completions import CompletionDialect
from api.dialects.tasks import TaskDialect
from api.http.intake import rules_of
from api.http.json_body import parse_json
from api.http.reply import JSON
from api.responses.wanted import conversation_of, read_wanted
from shared.config import Settings
from shared.domain.catalogue import Offer, make_catalogue
from shared.domain.completions import completion_models
from shared.domain.inputs import WrongValue
from shared.domain.request import Client, Request
from shared.errors import FieldError, InvalidRequest

Kind = Literal["task", "chat", "response"]
"""What a body is for: `predict`, chat completions or responses."""


MOST_REMEMBERED = 1000
"""Names of models whose offers are remembered: to find out that there is none is to look at all."""


class Bodies:
    """Reads bodies. To be used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        catalogue = make_catalogue(settings)
        self._models = completion_models(catalogue, settings)
        self._found: dict[str, Offer | None] = {}
        rules = rules_of(settings, catalogue)
        self._tasks = TaskDialect(rules)
        self._completions = CompletionDialect(self._models, rules.max_input_chars, rules.max_body_bytes)

    def find(self, model: str) -> Offer | None:
        """Return the offer of a chat model by the name that a body gives it; None for one that is not served."""
        if model not in self._found:
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[model] = self._models.find(model)
        return self._found[model]

    def read(self, body: bytes, client: Client) -> Request:
        """Return the request that a body describes; raise a RequestError."""
        document = parse_json(body)
        kind = kind_of(document) if isinstance(document, dict) else None
        if kind == "task":
            return self._tasks.read(JSON, body, client)
        if kind == "response":
            return self._response(document, client)
        return self._completions.read(JSON, body, client)

    def _response(self, document: Mapping[str, Any], client: Client) -> Request:
        try:
            wanted = read_wanted(document)
            if wanted.previous is not None:
                message = "goes on from a stored response, which only the service knows"
                raise WrongValue(message, "/previous_response_id")
            offer = self.find(wanted.model)
            if offer is None:
                message = "is no model that this installation serves"
                raise WrongValue(message, "/model")
            limit_name = self._settings.providers[offer.serving(offer.model).vendor].limit_name
            conversation = conversation_of(wanted, [], limit_name, self._settings.max_input_chars)
        except WrongValue as err:
            raise InvalidRequest([FieldError(err.pointer, err.detail)]) from err
        return Request(client, offer, offer.model, {}, conversation, offer.fallback_routes)


def kind_of(document: Mapping[str, Any]) -> Kind | None:
    """Return what a body is for, by the members that only one kind has; None for neither."""
    if "task_type" in document:
        return "task"
    if "messages" in document:
        return "chat"
    return "response" if "input" in document else None

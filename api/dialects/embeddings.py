"""The endpoint `/v1/embeddings`: how it reads bodies and writes errors.

https://platform.openai.com/docs/api-reference/embeddings
"""

from collections.abc import Mapping
from typing import Any

from api.dialects.wanted_embeddings import Wanted, wanted_of
from api.http.errors import ModelNotFound
from api.http.explained import EXPLAIN_EMBEDDINGS, why
from api.http.intake import media_type_of
from api.http.json_body import MAX_TOKENS, parse_json
from api.http.openai_errors import in_openai_shape
from api.http.problems import error_reply
from api.http.reply import JSON, NO_HEADERS, Reply
from shared.domain.catalogue import Offer
from shared.domain.embedding_input import MOST_TOKEN_IDS, read_embedding_input, wants_base64
from shared.domain.embeddings import EMBEDDING
from shared.domain.inputs import WrongValue
from shared.domain.named_models import NamedModels
from shared.domain.request import Client
from shared.errors import AskOnceError, FieldError, InvalidRequest, MediaTypeNotSupported


class EmbeddingEndpoint:
    """See `Endpoint`. Safe to use from several threads."""

    task_type: str | None = EMBEDDING.name

    def __init__(self, models: NamedModels, max_chars: int, max_body_bytes: int) -> None:
        """`max_chars`: the setting MAX_INPUT_CHARS."""
        self._models = models
        self._max_chars = max_chars
        self.max_body_bytes = max_body_bytes

    def read(self, content_type: str, body: bytes, client: Client) -> Wanted:
        """Return what a body wants; raise a RequestError, ModelNotFound among them."""
        if media_type_of(content_type) != JSON:
            raise MediaTypeNotSupported
        # Each token id has a comma.
        document = parse_json(body, MAX_TOKENS + MOST_TOKEN_IDS)
        if not isinstance(document, dict):
            raise InvalidRequest([FieldError("", "must be an object")])
        try:
            offer = self._offer(document)
            in_base64 = wants_base64(document)
            return wanted_of(client, offer, read_embedding_input(document, self._max_chars), in_base64=in_base64)
        except WrongValue as err:
            raise InvalidRequest([FieldError(err.pointer, err.detail)]) from err

    def refused(self, error: AskOnceError, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Return the error in OpenAI's shape."""
        return in_openai_shape(error_reply(error, {**why(error, EXPLAIN_EMBEDDINGS), **headers}))

    def _offer(self, document: Mapping[str, Any]) -> Offer:
        name = document.get("model")
        if not isinstance(name, str):
            message = "is required" if name is None else "must be a string"
            raise WrongValue(message, "/model")
        offer = self._models.find(name)
        if offer is None:
            raise ModelNotFound(name, self._models.offers)
        return offer

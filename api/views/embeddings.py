"""POST /v1/embeddings."""

from functools import partial

from flask import Response, g, request
from flask_smorest import Blueprint

from api.embeddings.asking import embed
from api.flask_adapter import embedding_endpoint, read_body, respond, services
from api.predict import PredictCall
from api.schemas.embeddings import EMBEDDINGS_DOC

blueprint = Blueprint("embeddings", __name__, description="For clients of OpenAI's API")


@blueprint.route("/embeddings", methods=["POST"])
@blueprint.doc(**EMBEDDINGS_DOC)
def create_embeddings() -> Response:
    """Answer with vectors from the cache, or wait for the job that asks for those that are missing."""
    call = PredictCall(
        request_id=g.request_id,
        client=g.client,
        dialect=embedding_endpoint(),
        content_type=request.content_type or "",
        cache_control=request.headers.get("Cache-Control"),
        prefer=request.headers.get("Prefer"),
        idempotency_key=request.headers.get("Idempotency-Key"),
        read_body=partial(read_body, request),
    )
    return respond(embed(call, services()))

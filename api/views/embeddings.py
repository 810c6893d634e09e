"""POST /v1/embeddings."""

from flask import Response
from flask_smorest import Blueprint

from api.embeddings.asking import embed
from api.flask_adapter import embedding_endpoint, respond, services
from api.schemas.embeddings import EMBEDDINGS_DOC
from api.views.asking import call_to

blueprint = Blueprint("embeddings", __name__, description="Vectors, for clients of OpenAI's API.")


@blueprint.route("/embeddings", methods=["POST"])
@blueprint.doc(**EMBEDDINGS_DOC)
def create_embeddings() -> Response:
    """Create embeddings.

    Vectors come from the cache; one job asks for those that are missing.
    """
    return respond(embed(call_to(embedding_endpoint()), services()))

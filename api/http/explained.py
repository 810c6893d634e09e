"""Where requests are explained, and who is told."""

from collections.abc import Mapping

from api.http.documents import PREFIX
from api.http.reply import NO_HEADERS
from shared.errors import AskOnceError, NotCached

EXPLAIN = f"{PREFIX}/explain"
"""For bodies of `predict`."""

EXPLAIN_COMPLETION = f"{EXPLAIN}/chat/completions"
EXPLAIN_RESPONSE = f"{EXPLAIN}/responses"
EXPLAIN_EMBEDDINGS = f"{EXPLAIN}/embeddings"

ASKED_AT: Mapping[str, str] = {EXPLAIN: f"{PREFIX}/predict", EXPLAIN_COMPLETION: "/v1/chat/completions"}
"""Where what is explained is asked, for the dialects that all calls share."""

EXPLAINING = (EXPLAIN, EXPLAIN_COMPLETION, EXPLAIN_RESPONSE, EXPLAIN_EMBEDDINGS)


def why(error: AskOnceError, path: str) -> Mapping[str, str]:
    """Return a link (RFC 8288) to where the same body is explained, for an error that makes one ask."""
    return {"Link": f'<{path}>; rel="help"'} if isinstance(error, NotCached) else NO_HEADERS

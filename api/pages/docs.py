"""`/docs`: shows the OpenAPI document with Swagger UI, whose files come from its package.

The page contains nothing of a request or an answer, and no script is written into it.
"""

from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Flask, Response, abort, send_from_directory

ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
SERVED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
ASSETS_KEPT = "public, max-age=3600"
START = "askonce.js"

DOCS = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>AskOnce</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/{START}"></script>
</body>
</html>
"""

# Unless told otherwise, Swagger UI asks a server of its own to validate the document.
START_SCRIPT = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", validatorUrl: null});\n'


def serve_docs(app: Flask) -> None:
    """Add the page and the files that it loads."""
    app.add_url_rule("/docs", "docs", _docs)
    app.add_url_rule("/docs/assets/<name>", "docs_assets", _asset)


def _docs() -> Response:
    return Response(DOCS, content_type="text/html; charset=utf-8")


def _asset(name: str) -> Any:  # noqa: ANN401  Flask's own response
    if name == START:
        response = Response(START_SCRIPT, content_type="text/javascript; charset=utf-8")
    elif name not in SERVED:
        abort(404)
    else:
        response = send_from_directory(ASSETS, name, max_age=3600)
    response.headers["Cache-Control"] = ASSETS_KEPT
    return response

"""The pages that people open in a browser: `/` and `/docs`, which shows the OpenAPI document with Swagger UI.

No page contains anything of a request or an answer, and no script is written into one: what a browser runs comes from
the files that are served here alone.
"""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import flask_swagger_ui
from flask import Flask, Response, abort, send_from_directory

ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
SERVED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
ASSETS_KEPT = "public, max-age=3600"
START = "askonce.js"

PAGE_HEADERS = MappingProxyType(
    {
        # Swagger UI's style sheet has pictures as data URLs.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }
)
"""What a page may load and do, and that no other page may show it in a frame."""

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


def serve_pages(app: Flask) -> None:
    """Add the pages and the files that they load, and the headers of pages to every response that is one."""
    app.add_url_rule("/", "front_page", _front_page)
    app.add_url_rule("/docs", "docs", _docs)
    app.add_url_rule("/docs/assets/<name>", "docs_assets", _asset)
    app.after_request(_guard)


def _front_page() -> Response:
    return Response(b"", 302, {"Location": "/docs"}, content_type="text/plain; charset=utf-8")


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


def _guard(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.update(PAGE_HEADERS)
    return response

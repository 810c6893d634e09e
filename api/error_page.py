"""`/docs/errors`: the paragraph about each kind of error, to which the `type` of an error leads."""

import re
from html import escape

from flask import Flask, Response

from api.http.problems import ERRORS_PAGE
from api.problem_types.catalogue import GROUPS, Group
from api.problem_types.paragraphs import Paragraph, paragraph_of

STYLE_PATH = f"{ERRORS_PAGE}.css"
KEPT = "public, max-age=3600"

_CODE = re.compile(r"`([^`]+)`")

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; }
h3 { margin-top: 2rem; }
h3 a { text-decoration: none; color: inherit; }
section:target { outline: 2px solid; outline-offset: 0.75rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.75rem; border: 1px solid; font-size: 0.875rem; }
.facts { font-size: 0.875rem; }
"""


def serve_error_page(app: Flask) -> None:
    """Add the page and its style sheet."""
    app.add_url_rule(ERRORS_PAGE, "error_page", _page)
    app.add_url_rule(STYLE_PATH, "error_style", _style)


def _style() -> Response:
    return Response(_STYLE, headers={"Cache-Control": KEPT}, content_type="text/css; charset=utf-8")


def _page() -> Response:
    groups = "".join(map(_group, GROUPS))
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>AskOnce: errors</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<link rel="stylesheet" href="{STYLE_PATH}">\n</head>\n<body>\n<main>\n<h1>Errors</h1>\n'
    )
    about = '<p>What each error means, and what to do. <a href="/docs">All endpoints</a></p>\n'
    return Response(f"{head}{about}{groups}</main>\n</body>\n</html>\n", content_type="text/html; charset=utf-8")


def _group(group: Group) -> str:
    paragraphs = [paragraph_of(each) for each in group.types]
    links = ", ".join(f'<a href="#{each.anchor}">{escape(each.heading.lower())}</a>' for each in paragraphs)
    sections = "".join(map(_section, paragraphs))
    return f"<h2>{escape(group.title)}</h2>\n<p>{_text(group.about)}</p>\n<p>{links}</p>\n{sections}"


def _section(about: Paragraph) -> str:
    examples = "".join(f"<pre>{escape(example)}</pre>\n" for example in about.examples)
    return (
        f'<section id="{about.anchor}">\n<h3><a href="#{about.anchor}">{escape(about.heading)}</a></h3>\n'
        f'<p class="facts">{_text(" · ".join(about.facts))}</p>\n<p>{_text(about.when)}</p>\n'
        f"<p><strong>What to do:</strong> {_text(about.remedy)}</p>\n{examples}</section>\n"
    )


def _text(markdown: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(markdown, quote=False))

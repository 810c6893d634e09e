"""What a page may load and do, and that no other page may show it in a frame."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from flask import Response

DIRECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        # Swagger UI's style sheet has pictures as data URLs, and our page shows a dropped picture as one.
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
)


def policy(**others: str) -> str:
    """Return a Content-Security-Policy: that of every page, with these directives (`script_src`) added or replaced."""
    changed = {name.replace("_", "-"): value for name, value in others.items()}
    return "; ".join(f"{name} {value}" for name, value in {**DIRECTIVES, **changed}.items())


def digest_source(text: str) -> str:
    """Return what lets a policy allow a style sheet or script that is written into the document, to the letter.

    https://www.w3.org/TR/CSP3/#grammardef-hash-source
    """
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


PAGE_HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": policy(),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }
)
"""The headers of every page."""


def strictest(*, sheet: str, script: str) -> str:
    """Return the policy of our own page, into which this style sheet and this script are written, and no other.

    Its browser refuses to make markup of any text, whatever a script does.
    """
    return policy(
        script_src=f"'self' {digest_source(script)}",
        style_src=digest_source(sheet),
        require_trusted_types_for="'script'",
        trusted_types="'none'",
    )


def guard(response: Response) -> Response:
    """Add the headers of pages to a response that is one, unless it has stricter ones."""
    if response.mimetype == "text/html":
        for name, value in PAGE_HEADERS.items():
            response.headers.setdefault(name, value)
    return response

"""What a page may load and do, and that no other page may show it in a frame."""

from types import MappingProxyType

from flask import Response

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE_HEADERS = MappingProxyType(
    {
        # Swagger UI's style sheet has pictures as data URLs, and our page shows a dropped picture as one.
        "Content-Security-Policy": _POLICY,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }
)
"""The headers of every page."""

STRICTEST = f"{_POLICY}; require-trusted-types-for 'script'; trusted-types 'none'"
"""The policy of our own page: its browser refuses to make markup of any text, whatever a script does."""


def guard(response: Response) -> Response:
    """Add the headers of pages to a response that is one, unless it has stricter ones."""
    if response.mimetype == "text/html":
        for name, value in PAGE_HEADERS.items():
            response.headers.setdefault(name, value)
    return response

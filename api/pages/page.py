"""The page at `/`: what AskOnce has answered, saved and is doing, and a playground.

It is the same for everybody, and holds nothing of a request: what it shows comes from the API, by its scripts, with the
key that somebody enters. Programs that ask for `/` are sent to `/docs`.
"""

from functools import cached_property

from flask import Flask, Response, abort, request
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from api.pages.assets import Asset, Assets, asset, read_assets
from api.pages.headers import strictest
from api.statistics.report import OUTCOMES
from shared.domain.offers import TASK_TYPE_NAMES
from shared.jobs.job import JobStatus

HTML = "text/html"
KEPT = "public, max-age=31536000, immutable"
"""The address of a file has the digest of all of them, so that none ever changes."""

FIGURES = (
    ("saved", "Money saved"),
    ("time", "Time saved"),
    ("ratio", "Hit ratio"),
    ("requests", "Requests"),
    ("spent", "Money spent"),
)
"""Those at the top of the first screen: name, and title."""


class Page:
    """The page and its files, for one installation."""

    def __init__(self, version: str, *, auth: bool) -> None:
        self._version = version
        self._auth = auth

    @cached_property
    def assets(self) -> Assets:
        """The files, read at first use."""
        return read_assets()

    @cached_property
    def document(self) -> Asset:
        """The page, made at first use."""
        environment = Environment(
            loader=PackageLoader("api.pages"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
        )
        text = environment.get_template("page.html").render(
            assets=f"/assets/{self.assets.digest}",
            # Our own files, which have no closing tag in them.
            sheet=Markup(self.assets.sheet),  # noqa: S704
            classic=Markup(self.assets.classic),  # noqa: S704
            modules=self.assets.modules,
            asks_for_keys=self._auth,
            version=self._version,
            figures=FIGURES,
            outcomes=OUTCOMES,
            task_types=TASK_TYPE_NAMES,
            statuses=[status.value for status in JobStatus],
        )
        return asset(text.encode(), f"{HTML}; charset=utf-8")

    @cached_property
    def policy(self) -> str:
        """The Content-Security-Policy of the page."""
        return strictest(sheet=self.assets.sheet, script=self.assets.classic)

    def front(self) -> Response:
        """Return the page to a browser, and send others to `/docs`."""
        if HTML not in {each.strip().lower() for each in request.accept_mimetypes.values()}:
            response = Response(b"", 302, {"Location": "/docs"}, content_type="text/plain; charset=utf-8")
        else:
            response = _sent(self.document)
            response.headers["Content-Security-Policy"] = self.policy
            response.headers["Cache-Control"] = "no-cache"
        response.vary.add("Accept")
        return response

    def asset(self, digest: str, name: str) -> Response:
        """Return a file; 404 also for one of another version."""
        found = self.assets.files.get(name) if digest == self.assets.digest else None
        if found is None:
            abort(404)
        response = _sent(found)
        response.headers["Cache-Control"] = KEPT
        return response


def _sent(found: Asset) -> Response:
    """Return a file, compressed if the browser takes that."""
    if request.accept_encodings["gzip"] > 0:
        response = Response(found.gzipped, content_type=found.media_type)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = Response(found.content, content_type=found.media_type)
    response.vary.add("Accept-Encoding")
    return response


def serve_page(app: Flask, version: str, *, auth: bool) -> None:
    """Add the page and its files."""
    page = Page(version, auth=auth)
    app.add_url_rule("/", "front_page", page.front)
    app.add_url_rule("/assets/<digest>/<path:name>", "page_assets", page.asset)

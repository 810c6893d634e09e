"""`/pictures/...`: sample pictures, valid and hostile."""

import threading
from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as BareResponse

from simulator.call_log import CallLog
from simulator.pictures import hostile_pictures

MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}
USUAL_BYTES = 20_000_000
USUAL_SECONDS = 10.0


class SamplePictures:
    """The pictures that are plain bytes, by file name. The bomb is built at the first request for it."""

    def __init__(self, samples: Mapping[str, bytes]) -> None:
        self._lock = threading.Lock()
        self._contents = {
            **samples,
            "broken.png": samples["cat.png"][: len(samples["cat.png"]) // 2],
            "text.png": hostile_pictures.TEXT,
            "icon.svg": hostile_pictures.ICON,
        }

    def content(self, name: str) -> bytes | None:
        """Return the bytes of a picture, None for an unknown name."""
        with self._lock:
            if name == "bomb.png" and name not in self._contents:
                self._contents[name] = hostile_pictures.bomb()
            return self._contents.get(name)


def picture_views(sample_pictures: SamplePictures, call_log: CallLog) -> Blueprint:
    """Return the views of all sample pictures; each download is counted in the call log.

    `large.bin?chunked` does not announce its length.
    """
    views = Blueprint("pictures", __name__, url_prefix="/pictures")

    @views.get("/<name>")
    def picture(name: str) -> Response:
        call_log.note_picture(name)
        content = sample_pictures.content(name)
        if content is None:
            abort(404)
        return Response(content, content_type=MEDIA_TYPES[name.rpartition(".")[2]])

    @views.get("/redirect")
    def elsewhere() -> BareResponse:
        call_log.note_picture("redirect")
        return redirect(request.args["to"], 302)

    _add_streams(views, sample_pictures, call_log)
    return views


def _add_streams(views: Blueprint, sample_pictures: SamplePictures, call_log: CallLog) -> None:
    @views.get("/large.bin")
    def large() -> Response:
        call_log.note_picture("large.bin")
        total = request.args.get("bytes", USUAL_BYTES, type=int)
        response = Response(hostile_pictures.large(total), content_type="image/png")
        if "chunked" not in request.args:
            response.content_length = total
        return response

    @views.get("/squeezed.png")
    def squeezed() -> Response:
        call_log.note_picture("squeezed.png")
        total = request.args.get("bytes", USUAL_BYTES, type=int)
        return Response(
            hostile_pictures.squeezed(total), content_type="image/png", headers={"Content-Encoding": "gzip"}
        )

    @views.get("/drip.png")
    def drip() -> Response:
        call_log.note_picture("drip.png")
        content = sample_pictures.content("cat.png") or b""
        seconds = request.args.get("seconds", USUAL_SECONDS, type=float)
        response = Response(hostile_pictures.drip(content, seconds), content_type="image/png")
        response.content_length = len(content)
        return response

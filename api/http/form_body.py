"""Parses multipart/form-data as a predict body: the same fields, and the picture as a file part."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData, State

from api.http.field_errors import pointer_to
from api.http.json_body import parse_json
from shared.errors import FieldError, InvalidRequest, MalformedRequest, RequestTooLarge

MAX_PARTS = 16
MAX_HEADER_BYTES = 4096
"""Limit of what precedes the content of a part, or the first part."""

FILE = "file"

_CHUNK_BYTES = 8192
_WITH_HEADERS = (State.PREAMBLE, State.PART)


@dataclass(slots=True)
class _Part:
    name: str | None
    is_file: bool
    content: bytearray = field(default_factory=bytearray)


def parse_form(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes | None]:
    """Return the fields, with `options` parsed from JSON, and the bytes of the file part or None.

    Raises MalformedRequest, RequestTooLarge, or InvalidRequest for a part that occurs twice.
    """
    parts = _parts(content_type, body)
    _check_names(parts)
    fields: dict[str, Any] = {str(part.name): _text(part) for part in parts if not part.is_file}
    if FILE in fields:
        raise InvalidRequest([FieldError(f"/{FILE}", "must be a file part, with a filename")])
    if "options" in fields:
        fields["options"] = _options(fields["options"])
    return fields, next((bytes(part.content) for part in parts if part.is_file), None)


def _parts(content_type: str, body: bytes) -> list[_Part]:
    parts: list[_Part] = []
    try:
        for event in _events(content_type, body):
            if isinstance(event, (Field, File)):
                parts.append(_Part(event.name, isinstance(event, File)))
            elif isinstance(event, Data):
                parts[-1].content += event.data
    except RequestEntityTooLarge as err:
        message = f"A form may have at most {MAX_PARTS} parts. Send fewer."
        raise RequestTooLarge(message) from err
    except ValueError as err:
        message = "The body is no valid multipart/form-data with the boundary of Content-Type. Let a library make both."
        raise MalformedRequest(message) from err
    return parts


def _events(content_type: str, body: bytes) -> Iterator[Event]:
    """Yield the decoder's events. Feeds it small pieces, so that it never collects or parses endless headers."""
    boundary = parse_options_header(content_type)[1].get("boundary", "").encode("ascii")
    if not boundary:
        message = "no boundary"
        raise ValueError(message)
    decoder = MultipartDecoder(boundary, max_parts=MAX_PARTS)
    for start in range(0, len(body), _CHUNK_BYTES):
        decoder.receive_data(body[start : start + _CHUNK_BYTES])
        yield from _ready(decoder)
        if decoder.state is State.EPILOGUE:
            return
        if decoder.state in _WITH_HEADERS and len(decoder.buffer) > MAX_HEADER_BYTES:
            message = f"A part of a form may have at most {MAX_HEADER_BYTES} bytes of headers. Shorten its filename."
            raise RequestTooLarge(message)
    decoder.receive_data(None)
    yield from _ready(decoder)


def _ready(decoder: MultipartDecoder) -> Iterator[Event]:
    while not isinstance(event := decoder.next_event(), (NeedData, Epilogue)):
        yield event


def _check_names(parts: list[_Part]) -> None:
    names = [part.name for part in parts]
    if None in names:
        message = "Every part of the form needs a name."
        raise MalformedRequest(message)
    repeated = [str(name) for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise InvalidRequest([FieldError(pointer_to(name), "must be given once") for name in repeated])
    unknown = [str(part.name) for part in parts if part.is_file and part.name != FILE]
    if unknown:
        detail = "no file is expected here; name it 'file'"
        raise InvalidRequest([FieldError(pointer_to(name), detail) for name in unknown])


def _text(part: _Part) -> str:
    try:
        return part.content.decode()
    except UnicodeDecodeError as err:
        message = "Every field of the form must be valid UTF-8."
        raise MalformedRequest(message) from err


def _options(text: str) -> Any:  # noqa: ANN401  JSON is any of its types
    try:
        return parse_json(text.encode())
    except MalformedRequest as err:
        raise InvalidRequest([FieldError("/options", "must be a JSON object, as a string")]) from err

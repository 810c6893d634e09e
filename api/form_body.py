"""multipart/form-data as a predict body: the same fields, and the picture as a file part."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from api.json_body import parse_json
from shared.errors import FieldError, InvalidRequest, MalformedRequest, RequestTooLarge

MAX_PARTS = 16
FILE = "file"
REPLACEMENT = "\ufffd"


def parse_form(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes | None]:
    """Return the fields, `options` parsed from its JSON string, and the bytes of the file part if there is one.

    Raises MalformedRequest, RequestTooLarge, or InvalidRequest for a part that comes twice.
    """
    mimetype, options = parse_options_header(content_type)
    parser = FormDataParser(
        stream_factory=lambda *_, **__: BytesIO(), max_form_memory_size=None, max_form_parts=MAX_PARTS, silent=False
    )
    try:
        _, form, files = parser.parse(BytesIO(body), mimetype, len(body), options)
    except RequestEntityTooLarge as err:
        message = f"A form may have at most {MAX_PARTS} parts."
        raise RequestTooLarge(message) from err
    except ValueError as err:
        message = f"The body is not valid multipart/form-data: {err}"
        raise MalformedRequest(message) from err
    if None in form or None in files or _was_mangled(form.values(), body):
        message = "Every part needs a name, and every field must be valid UTF-8."
        raise MalformedRequest(message)
    repeated = [name for name in (*form, *files) if len(form.getlist(name)) + len(files.getlist(name)) > 1]
    if repeated:
        raise InvalidRequest([FieldError(f"/{name}", "must be given once") for name in dict.fromkeys(repeated)])
    unknown = [name for name in files if name != FILE]
    if unknown:
        raise InvalidRequest([FieldError(f"/{name}", "no file is expected here; name it 'file'") for name in unknown])
    fields: dict[str, Any] = form.to_dict()
    if FILE in fields:
        raise InvalidRequest([FieldError(f"/{FILE}", "must be a file part, with a filename")])
    if "options" in fields:
        fields["options"] = _options(fields["options"])
    return fields, files[FILE].read() if FILE in files else None


def _options(text: str) -> Any:  # noqa: ANN401  JSON is any of its types
    try:
        return parse_json(text.encode())
    except (MalformedRequest, UnicodeEncodeError) as err:
        raise InvalidRequest([FieldError("/options", "must be a JSON object, as a string")]) from err


def _was_mangled(values: Iterable[str], body: bytes) -> bool:
    """Tell whether the parser put replacement characters where bytes were no UTF-8."""
    return REPLACEMENT.encode() not in body and any(REPLACEMENT in value for value in values)

"""Turns the bytes of a body into a validated request: a pure function that needs no web framework."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.http.field_errors import unknown
from api.http.form_body import parse_form
from api.http.json_body import parse_json
from api.http.reply import JSON
from shared.config import Settings
from shared.domain.catalogue import Catalogue, Offer
from shared.domain.inputs import BYTES_PER_CHAR, WrongValue, clean_text
from shared.domain.options import Option
from shared.domain.picture_urls import check_picture_url
from shared.domain.pictures import check_structure, picture
from shared.domain.request import Client, Input, Picture, PictureUrl, Request, TextInput
from shared.errors import (
    MAX_FIELD_ERRORS,
    FieldError,
    InvalidRequest,
    MediaTypeNotSupported,
    RequestError,
    RequestTooLarge,
)

FIELDS = ("task_type", "input", "options", "model")
BODY_SLACK = 1_000_000
"""Bytes that a body may have in addition to its largest input: for options and part headers."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What this installation accepts; sizes in characters and bytes."""

    catalogue: Catalogue
    max_input_chars: int
    max_image_bytes: int
    max_image_pixels: int
    image_url_allow: tuple[tuple[str, int], ...]
    _max_bytes: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_max_bytes", {name: self._largest_body(name) for name in self.catalogue})

    @property
    def max_body_bytes(self) -> int:
        """The size of the largest valid body of any task, in bytes."""
        return max(self._max_bytes.values())

    def max_bytes_of(self, task_type: str) -> int:
        """Return the size in bytes of a task's largest valid body: a picture in base64, or texts with JSON escapes."""
        return self._max_bytes[task_type]

    def _largest_body(self, task_type: str) -> int:
        task = self.catalogue[task_type].task_type
        picture = self.max_image_bytes * 4 // 3 if task.takes_picture else 0
        return picture + task.long_texts * self.max_input_chars * BYTES_PER_CHAR + BODY_SLACK


def rules_of(settings: Settings, catalogue: Catalogue) -> Rules:
    """Return the rules that an operator has set."""
    return Rules(
        catalogue=catalogue,
        max_input_chars=settings.max_input_chars,
        max_image_bytes=settings.max_image_bytes,
        max_image_pixels=settings.max_image_pixels,
        image_url_allow=settings.image_url_allow,
    )


def read_request(content_type: str, body: bytes, client: Client, rules: Rules) -> Request:
    """Return the request that a body describes.

    Raises MediaTypeNotSupported, MalformedRequest, RequestTooLarge, or InvalidRequest, which names every wrong field.
    The last two have the task type, if the body names one.
    """
    fields, file = _parse(content_type, body)
    if not isinstance(fields, dict):
        raise InvalidRequest([FieldError("", "must be an object")])
    errors = unknown(fields, FIELDS, f"unknown field; known are {', '.join(FIELDS)}")
    offer = _offer(fields.get("task_type"), rules.catalogue, errors)
    if offer is None:
        if file is None and fields.get("input") is None:
            errors.append(FieldError("/input", "is required"))
        raise InvalidRequest(errors)
    try:
        if len(errors) > MAX_FIELD_ERRORS:
            raise InvalidRequest(errors)
        _check_budget(len(body), offer, rules)
        model = _model(fields.get("model"), offer, errors)
        options = _options(fields.get("options"), offer, rules, errors)
        found = _input(fields, file, offer, rules, errors)
        if errors or found is None:
            raise InvalidRequest(errors)
    except RequestError as err:
        err.task_type = offer.task_type.name
        raise
    fallbacks = offer.fallback_routes if fields.get("model") is None else ()
    return Request(client, offer, model, options, found, fallbacks)


def media_type_of(content_type: str) -> str:
    """Return the media type in a Content-Type, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _parse(content_type: str, body: bytes) -> tuple[Any, bytes | None]:
    media_type = media_type_of(content_type)
    if media_type == JSON:
        return parse_json(body), None
    if media_type == "multipart/form-data":
        return parse_form(content_type, body)
    raise MediaTypeNotSupported


def _check_budget(size: int, offer: Offer, rules: Rules) -> None:
    """Refuse a body that is too large for its task, before its texts are checked."""
    limit = rules.max_bytes_of(offer.task_type.name)
    if size > limit:
        message = f"A body for {offer.task_type.name} may have at most {limit:,} bytes, this one has {size:,}."
        message += " Send a smaller one."
        raise RequestTooLarge(message)


def _offer(name: object, catalogue: Catalogue, errors: list[FieldError]) -> Offer | None:
    if isinstance(name, str) and name in catalogue:
        return catalogue[name]
    detail = "is required" if name is None else f"must be one of {', '.join(catalogue)}"
    errors.append(FieldError("/task_type", detail))
    return None


def _model(name: object, offer: Offer, errors: list[FieldError]) -> str:
    if name is None:
        return offer.model
    if not isinstance(name, str) or name not in offer.allowed_models:
        errors.append(FieldError("/model", f"must be one of {', '.join(offer.allowed_models)}"))
        return offer.model
    return name


def _options(given: object, offer: Offer, rules: Rules, errors: list[FieldError]) -> dict[str, Any]:
    if given is None:
        given = {}
    if not isinstance(given, dict):
        errors.append(FieldError("/options", "must be an object"))
        return {}
    known = [option.name for option in offer.task_type.options]
    taken = f"known are {', '.join(known)}" if known else f"{offer.task_type.name} has none"
    errors.extend(unknown(given, known, f"unknown option; {taken}", "/options"))
    if len(errors) > MAX_FIELD_ERRORS:
        raise InvalidRequest(errors)
    return {option.name: _option(option, given, rules, errors) for option in offer.task_type.options}


def _option(option: Option, given: Mapping[str, object], rules: Rules, errors: list[FieldError]) -> object:
    value = given.get(option.name)
    if value is None:
        if option.required:
            errors.append(FieldError(f"/options/{option.name}", "is required"))
        return option.default
    try:
        return option.kind.check(value, rules.max_input_chars)
    except WrongValue as err:
        errors.append(FieldError(f"/options/{option.name}{err.pointer}", err.detail))
        return None


def _input(
    fields: Mapping[str, object], file: bytes | None, offer: Offer, rules: Rules, errors: list[FieldError]
) -> Input | None:
    value = fields.get("input")
    try:
        if file is not None:
            return _uploaded(value, file, offer, rules)
        if value is None:
            message = "is required"
            raise WrongValue(message)
        if offer.task_type.takes_picture:
            return _picture(value, rules)
        return TextInput(clean_text(value, rules.max_input_chars))
    except WrongValue as err:
        errors.append(FieldError("/input" if file is None else "/file", err.detail))
    return None


def _uploaded(value: object, file: bytes, offer: Offer, rules: Rules) -> Picture:
    if value is not None:
        message = "give either a file or an input, not both"
        raise WrongValue(message)
    if not offer.task_type.takes_picture:
        message = f"{offer.task_type.name} takes text, not a file"
        raise WrongValue(message)
    return _checked(file, rules)


def _picture(value: object, rules: Rules) -> Input:
    if not isinstance(value, str):
        message = "must be a string"
        raise WrongValue(message)
    if value[:5].lower() == "data:":
        return _checked(_data_url(value), rules)
    check_picture_url(value, rules.image_url_allow)
    return PictureUrl(value)


def _checked(content: bytes, rules: Rules) -> Picture:
    if len(content) > rules.max_image_bytes:
        message = f"The picture has {len(content):,} bytes; at most {rules.max_image_bytes:,} are accepted."
        message += " Send a smaller one."
        raise RequestTooLarge(message)
    if not content:
        message = "must not be empty"
        raise WrongValue(message)
    found = picture(content)
    check_structure(found, rules.max_image_pixels)
    return found


def _data_url(url: str) -> bytes:
    """Return the bytes of a base64 `data:` URL (RFC 2397)."""
    head, comma, payload = url[5:].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        message = "must be a data URL in base64: data:image/png;base64,..."
        raise WrongValue(message)
    try:
        return base64.b64decode(_unescaped(payload), validate=True)
    except (binascii.Error, ValueError) as err:
        message = "holds invalid base64"
        raise WrongValue(message) from err


def _unescaped(payload: str) -> str:
    """Undo the percent-encoding of `+`, `/` and `=`, the only base64 characters that need it."""
    for escaped, char in (("%2B", "+"), ("%2b", "+"), ("%2F", "/"), ("%2f", "/"), ("%3D", "="), ("%3d", "=")):
        payload = payload.replace(escaped, char)
    return payload

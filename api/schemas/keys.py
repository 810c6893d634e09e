"""Schemas of API keys (marshmallow)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.access.keys import NAME, NAME_RULE
from api.schemas.limits import Limits, limit_changes
from api.schemas.numbers import JsonNumber
from api.schemas.queries import UtcDateTimeField, one_of, saying, tenant_name
from shared.domain.options import Integer
from shared.domain.request import DEFAULT_TENANT, SCOPES
from shared.times import now

MAX_GRACE_SECONDS = 30 * 24 * 3600
SCOPES_RULE = f"must be a list of some of {', '.join(SCOPES)}, each once"


def _each_once(scopes: Sequence[str]) -> None:
    if not scopes or len(set(scopes)) != len(scopes):
        raise ValidationError(SCOPES_RULE)


def _to_come(moment: datetime) -> None:
    if moment <= now():
        message = "must be a time to come"
        raise ValidationError(message)


def _name(*, required: bool = False) -> fields.String:
    return saying(NAME_RULE, fields.String(validate=validate.Regexp(rf"^{NAME}\Z"), required=required))


def _scopes(*, required: bool = False) -> "fields.List[str]":
    about = {
        "description": "`admin` may do everything, and sees the records of every tenant.",
        "uniqueItems": True,
        "minItems": 1,
    }
    said: dict[str, str | list[Any] | dict[Any, Any]] = {
        "required": "is required",
        "invalid": SCOPES_RULE,
        "null": SCOPES_RULE,
    }
    return fields.List(one_of(SCOPES), validate=_each_once, required=required, metadata=about, error_messages=said)


def _expires_at() -> UtcDateTimeField:
    return UtcDateTimeField(
        data_key="expires_at", about="RFC 3339, in the future; null: never.", validate=_to_come, allow_none=True
    )


class NewApiKey(Schema):
    """A key to make."""

    name = _name(required=True)
    tenant = tenant_name(load_default=DEFAULT_TENANT)
    scopes = _scopes(required=True)
    expires_at = _expires_at()
    limits = limit_changes()


class ApiKeyChanges(Schema):
    """What is to change about a key."""

    name = _name()
    scopes = _scopes()
    expires_at = _expires_at()
    limits = limit_changes()


class Rotation(Schema):
    """How a key gets a new secret."""

    grace_seconds = JsonNumber(
        Integer(0, MAX_GRACE_SECONDS),
        f"must be a whole number from 0 to {MAX_GRACE_SECONDS}",
        "How long the secret before stays valid, so that clients can be changed.",
        load_default=0,
    )


class ApiKey(Schema):
    """A key. Its secret is shown only once, when it is made or rotated."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    tenant = fields.String(required=True)
    scopes = fields.List(one_of(SCOPES), required=True)
    limits = fields.Nested(Limits(), required=True)
    status = one_of(["active", "expired", "revoked"], required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
    rotated_at = fields.AwareDateTime(required=True, allow_none=True)
    last_used_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "Up to half a minute behind."}
    )


class ShownKey(ApiKey):
    """A key with its secret, for the only time."""

    key = fields.String(required=True, metadata={"description": "Send it as `Authorization: Bearer ...`."})


class ApiKeyList(Schema):
    """All keys, the newest first."""

    keys = fields.List(fields.Nested(ApiKey()), required=True)

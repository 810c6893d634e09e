"""Response schemas of `health`."""

from marshmallow import Schema, fields

from api.schemas.queries import one_of


class Dependency(Schema):
    """One server that the service depends on."""

    state = one_of(["up", "down"], required=True)
    latency_ms = fields.Float(required=True, allow_none=True)


class RequestLogHealth(Schema):
    """Request records that are not in PostgreSQL: in this process, in Redis (null when it is down), and lost."""

    backlog = fields.Integer(required=True)
    overflow = fields.Integer(required=True, allow_none=True)
    dropped = fields.Integer(required=True)


class BackgroundLoopHealth(Schema):
    """One background thread of this process. After an error it goes on, and recovers once the cause is gone."""

    state = one_of(["ok", "failing"], required=True)
    failures = fields.Integer(required=True, metadata={"description": "Errors that nobody expected, since the start."})
    last_error = fields.String(required=True, allow_none=True, metadata={"description": "The last one's class."})


class Health(Schema):
    """The state of the service."""

    status = one_of(["ok", "degraded"], required=True)
    dependencies = fields.Dict(keys=fields.String(), values=fields.Nested(Dependency()), required=True)
    request_log = fields.Nested(RequestLogHealth(), required=True)
    background = fields.Dict(keys=fields.String(), values=fields.Nested(BackgroundLoopHealth()), required=True)


class Live(Schema):
    """This process answers."""

    status = one_of(["ok"], required=True)

"""Response schemas of `overview`."""

from marshmallow import Schema, fields

from api.schemas.queries import one_of
from api.schemas.responses import PROVIDER_NAME


def _seconds(about: str) -> fields.Float:
    return fields.Float(required=True, metadata={"description": about})


def _count(about: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": about})


class Queue(Schema):
    """A queue of jobs."""

    queue = fields.String(required=True)
    waiting = _count("Jobs that no worker has taken: `due` and `delayed`.")
    due = _count("Those that a worker could take now.")
    delayed = _count("Those that wait for another attempt, or until a provider may be asked.")
    running = _count("Jobs in progress.")
    oldest_due_seconds = _seconds("For how long the oldest due job has been due; 0 without one.")


class ModelState(Schema):
    """Whether a model can be asked."""

    model = fields.String(required=True)
    breaker = one_of(
        ["closed", "open", "due"],
        required=True,
        metadata={"description": "`due`: the next call finds out whether the provider works again."},
    )
    open_seconds = _seconds("For how long the breaker lets no call through.")
    paused_seconds = _seconds("For how long the provider has said that it would refuse.")


class ProviderState(Schema):
    """A provider, and the models that this installation may ask it for."""

    provider = fields.String(required=True, metadata={"description": PROVIDER_NAME})
    vendor = fields.String(required=True, metadata={"description": "Whose models these are."})
    requests_per_minute = _count("The limit of all workers together; 0 for none.")
    calls_in_last_minute = _count("Calls that count for the limit.")
    waiting_for_limit = _count("Jobs that the limit lets wait.")
    models = fields.List(fields.Nested(ModelState()), required=True)


class Worker(Schema):
    """A living worker."""

    name = fields.String(required=True)
    queue = fields.String(required=True)
    slots = _count("How many jobs it may run at once.")
    running = _count("How many it runs.")
    started_at = fields.AwareDateTime(required=True)
    heard_seconds = _seconds("How long ago it was heard: workers say every 5 s that they are alive.")
    late = fields.Boolean(
        required=True, metadata={"description": "Nothing was heard for 10 s: it may hang. After 20 s it is gone."}
    )


class Overview(Schema):
    """What the installation does now.

    `providers` and `workers` are null while Redis, which alone knows them, is away.
    """

    queues = fields.List(fields.Nested(Queue()), required=True)
    providers = fields.List(fields.Nested(ProviderState()), required=True, allow_none=True)
    workers = fields.List(fields.Nested(Worker()), required=True, allow_none=True)

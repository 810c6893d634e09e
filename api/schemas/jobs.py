"""Jobs in the OpenAPI document: one schema for each task type, which differ in `task_type` and `result`."""

from typing import Any

from flask_smorest import Api
from marshmallow import Schema, fields

from api.schemas.queries import STATUS_NAMES
from api.schemas.responses import PROVIDER_NAME, CacheUse, JobError, Urls, Usage
from shared.domain.offers import COMPATIBLE
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

JOB: dict[str, Any] = {"$ref": "#/components/schemas/Job"}
"""A job of any task type."""

ASKED: dict[str, Any] = {"$ref": "#/components/schemas/PredictJob"}
"""A job, or its answer, of those task types that `predict` serves."""

JOB_LIST: dict[str, Any] = {"$ref": "#/components/schemas/JobList"}


class JobMembers(Schema):
    """What the jobs of all task types have in common."""

    job_id = fields.UUID(required=True)
    model = fields.String(required=True)
    provider = fields.String(required=True, metadata={"description": PROVIDER_NAME})
    error = fields.Nested(JobError(), required=True, allow_none=True)
    usage = fields.Nested(Usage(), required=True)
    attempts = fields.Integer(required=True, metadata={"description": "How often a worker began to answer."})
    trace_id = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the trace (W3C) that its attempts are in."}
    )
    cache = fields.Nested(CacheUse(), required=True)
    created_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={
            "description": "When its attempt began: the one that runs, or ended it. null while it waits, but not after "
            "a lost worker."
        },
    )
    completed_at = fields.AwareDateTime(required=True, allow_none=True)
    urls = fields.Nested(Urls(), required=True)


def words(name: str) -> str:
    """Return the name of a task type as the beginning of a schema's name: `ImageCaptioning`."""
    return name.title().replace("_", "")


def job_of(task_type: TaskType) -> dict[str, Any]:
    """Return the reference to the schema of a task type's jobs."""
    return {"$ref": f"#/components/schemas/{words(task_type.name)}Job"}


def describe_jobs(api: Api) -> None:
    """Add the jobs of every task type, and those of all of them together."""
    add = api.spec.components.schema
    add("JobStatus", {"type": "string", "enum": STATUS_NAMES, "description": "The last three are final."})
    members = api.ma_plugin.converter.schema2jsonschema(JobMembers())
    for task_type in (*TASK_TYPES, *COMPATIBLE):
        add(f"{words(task_type.name)}Result", {**task_type.result, "description": f"What came out: {task_type.about}"})
        add(f"{words(task_type.name)}Job", _job(task_type, members))
    add("PredictJob", one_of_them("A job of `predict`, or its answer.", TASK_TYPES))
    add("Job", one_of_them("A job of any task type, or its answer.", (*TASK_TYPES, *COMPATIBLE)))
    cursor = {"type": ["string", "null"], "format": "uuid", "description": "Null on the last page."}
    page = {"jobs": {"type": "array", "items": JOB}, "next_cursor": cursor}
    add("JobList", {"type": "object", "description": "A page of jobs.", "properties": page, "required": [*page]})


def one_of_them(about: str, task_types: tuple[TaskType, ...]) -> dict[str, Any]:
    """Return the schema of a job of one of these task types, which `task_type` tells apart."""
    jobs = {each.name: job_of(each) for each in task_types}
    mapping = {name: job["$ref"] for name, job in jobs.items()}
    return {
        "description": about,
        "oneOf": [*jobs.values()],
        "discriminator": {"propertyName": "task_type", "mapping": mapping},
    }


def _job(task_type: TaskType, members: dict[str, Any]) -> dict[str, Any]:
    result = {"$ref": f"#/components/schemas/{words(task_type.name)}Result"}
    own = {
        "status": {"$ref": "#/components/schemas/JobStatus"},
        "task_type": {"type": "string", "const": task_type.name},
        "result": {"description": "Null until it is completed.", "oneOf": [result, {"type": "null"}]},
    }
    return {
        "type": "object",
        "description": "A job, or its answer: always the same members, null where unknown.",
        "properties": {**own, **members["properties"]},
        "required": [*own, *members["required"]],
    }

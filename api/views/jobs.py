"""Jobs: read one, list them, cancel one, retry one."""

from typing import Any

from flask import Response, g, request
from flask_smorest import Blueprint

from api import service
from api.access.access import tenant_to_read
from api.dialects.retries import RetryDialect
from api.flask_adapter import parse_id, respond, services, to_response
from api.http.documents import job_document, provider_call_document
from api.http.job_replies import polled_job_reply
from api.http.patience import preferred_patience
from api.http.reply import json_reply, page_reply
from api.jobs.viewer import Viewer, viewer_of
from api.predict import predict as answer
from api.prefer_wait import hold
from api.problem_types.of_asking import ALREADY_ENDED
from api.problem_types.of_requests import INVALID, NOT_FOUND
from api.retrying import request_of_failed
from api.schemas.job_examples import CANCELLED, COMPLETED, FAILED, examples_of
from api.schemas.jobs import JOB, JOB_LIST
from api.schemas.openapi import PREFER, RETRY_DOC, id_in_path
from api.schemas.queries import JobListQuery
from api.schemas.refusals import refused
from api.schemas.responses import ProviderCallList
from api.views.asking import call_to
from api.views.query import takes_query

READ = {**examples_of(COMPLETED), **examples_of(FAILED)}

blueprint = Blueprint("jobs", __name__, description="Questions that were accepted, and what became of them.")


@blueprint.route("/jobs/<job_id>", parameters=[id_in_path("job_id")])
@blueprint.response(200, JOB, description="The job.", examples=READ)
@blueprint.doc(operationId="get_job", parameters=[PREFER], responses=refused(NOT_FOUND))
def get_job(job_id: str) -> Response:
    """Read a job.

    It has its result once it is completed. `Prefer: wait=20` waits for its end, up to 20 seconds.
    """
    viewer = viewer_of(g.client)
    job = services().jobs.shown(parse_id(job_id, "job"), viewer)
    patience = preferred_patience(request.headers.get("Prefer"))
    return respond(hold(job, patience, services(), polled_job_reply, viewer))


@blueprint.route("/jobs")
@takes_query(blueprint, JobListQuery())
@blueprint.response(200, JOB_LIST, description="A page of jobs.")
@blueprint.doc(operationId="list_jobs", responses=refused(INVALID))
def list_jobs(query: dict[str, Any]) -> Response:
    """List jobs, newest first.

    `next_cursor` leads to the next page.
    """
    tenant = tenant_to_read(g.client, query.get("tenant"))
    viewer = None if tenant is None else viewer_of(g.client) or Viewer(tenant, None)
    jobs, more = services().jobs.page(
        status=query.get("status"),
        task_type=query.get("task_type"),
        limit=query["limit"],
        before=query.get("cursor"),
        viewer=viewer,
    )
    cursor = jobs[-1].id if more else None
    return to_response(page_reply("jobs", [job_document(job) for job in jobs], cursor, request))


@blueprint.route("/jobs/<job_id>/provider_calls", parameters=[id_in_path("job_id")])
@blueprint.response(200, ProviderCallList(), description="The calls, the first one first.")
@blueprint.doc(operationId="list_provider_calls", responses=refused(NOT_FOUND))
def list_provider_calls(job_id: str) -> Response:
    """List the calls to providers of a job.

    Those that your tenant pays, with what each took and cost.
    """
    job = services().jobs.shown(parse_id(job_id, "job"), viewer_of(g.client))
    calls = services().request_reader.provider_calls(job.id, tenant_to_read(g.client, None))
    return to_response(json_reply({"provider_calls": [provider_call_document(each) for each in calls]}))


@blueprint.route("/jobs/<job_id>/cancel", methods=["POST"], parameters=[id_in_path("job_id")])
@blueprint.response(200, JOB, description="The job, cancelled.", examples=examples_of(CANCELLED))
@blueprint.doc(operationId="cancel_job", responses=refused(NOT_FOUND, ALREADY_ENDED))
def cancel_job(job_id: str) -> Response:
    """Cancel a queued or running job.

    It ends at once. One that other keys have joined goes on for them.
    """
    seen = service.cancel(parse_id(job_id, "job"), viewer_of(g.client), services())
    return to_response(json_reply(job_document(seen)))


@blueprint.route("/jobs/<job_id>/retry", methods=["POST"], parameters=[id_in_path("job_id")])
@blueprint.doc(**RETRY_DOC)
def retry_job(job_id: str) -> Response:
    """Retry a failed job.

    It asks what the job was asked as a new call: the cache has the answer (200), or another job is accepted (202).
    """
    wanted = request_of_failed(parse_id(job_id, "job"), g.client, services())
    return respond(answer(call_to(RetryDialect(wanted)), services()))

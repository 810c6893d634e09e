"""Jobs: read one, list them, cancel one."""

from typing import Any

from flask import Response, g, request
from flask_smorest import Blueprint

from api import service
from api.access.access import tenant_to_read
from api.flask_adapter import parse_id, respond, services, to_response
from api.http.documents import job_document
from api.http.job_replies import polled_job_reply
from api.http.patience import preferred_patience
from api.http.reply import json_reply, page_reply
from api.jobs.viewer import Viewer, viewer_of
from api.prefer_wait import hold
from api.schemas.openapi import PREFER, id_in_path
from api.schemas.queries import JobListQuery
from api.schemas.responses import Job, JobList
from api.views.query import takes_query

blueprint = Blueprint("jobs", __name__, description="Work that was accepted and will end")


@blueprint.route("/jobs/<job_id>", parameters=[id_in_path("job_id")])
@blueprint.response(200, Job())
@blueprint.alt_response(404, "Problem")
@blueprint.doc(operationId="get_job", parameters=[PREFER])
def get_job(job_id: str) -> Response:
    """Read a job, with its result once completed; `Prefer: wait=N` waits for its end."""
    viewer = viewer_of(g.client)
    job = services().jobs.shown(parse_id(job_id, "job"), viewer)
    patience = preferred_patience(request.headers.get("Prefer"))
    return respond(hold(job, patience, services(), polled_job_reply, viewer))


@blueprint.route("/jobs")
@takes_query(blueprint, JobListQuery())
@blueprint.response(200, JobList())
@blueprint.alt_response(422, "Problem")
@blueprint.doc(operationId="list_jobs")
def list_jobs(query: dict[str, Any]) -> Response:
    """List jobs, newest first; `next_cursor` leads to the next page."""
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


@blueprint.route("/jobs/<job_id>/cancel", methods=["POST"], parameters=[id_in_path("job_id")])
@blueprint.response(200, Job())
@blueprint.alt_response(404, "Problem")
@blueprint.alt_response(409, "Problem")
@blueprint.doc(operationId="cancel_job")
def cancel_job(job_id: str) -> Response:
    """Cancel a queued or running job at once; one that other keys have joined goes on for them."""
    seen = service.cancel(parse_id(job_id, "job"), viewer_of(g.client), services())
    return to_response(json_reply(job_document(seen)))

"""Statistics of hits, misses, costs and savings."""

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from api.access.access import tenant_to_read
from api.flask_adapter import services, to_response
from api.http.reply import json_reply
from api.problem_types.of_requests import INVALID
from api.schemas.queries import DEFAULT_DAYS, StatisticsQuery
from api.schemas.refusals import refused
from api.schemas.statistics import Statistics
from api.statistics.periods import Period, between, last_days
from api.views.query import takes_query
from shared.errors import FieldError, InvalidRequest
from shared.times import now, rfc3339

blueprint = Blueprint("statistics", __name__, description="What the cache did, what it saved, and what was spent.")


@blueprint.route("/statistics")
@takes_query(blueprint, StatisticsQuery())
@blueprint.response(200, Statistics())
@blueprint.doc(operationId="read_statistics", responses=refused(INVALID))
def read_statistics(query: dict[str, Any]) -> Response:
    """Read statistics.

    Calls that ask by outcome, with costs and savings, over the last `days` UTC days, or from `from` to `to`.
    """
    period, days = _period(query)
    tenant = tenant_to_read(g.client, query.get("tenant"))
    found = services().statistics.read(period, query.get("task_type"), tenant)
    head = {"days": days, "from": rfc3339(period.start), "to": rfc3339(period.end), "bucket": period.bucket}
    tail = {"task_type": query.get("task_type"), "totals": found.totals, "series": found.series}
    tail |= {"audit": found.audit}
    return to_response(json_reply({**head, **tail}))


def _period(query: dict[str, Any]) -> tuple[Period, int | None]:
    bucket, start, end = query["bucket"], query.get("start"), query.get("end")
    by_days = start is None and end is None
    days = query.get("days", DEFAULT_DAYS)
    try:
        if by_days:
            return last_days(days, bucket, now()), days
        return between(start, end, bucket, now(), DEFAULT_DAYS), None
    except ValueError as err:
        raise InvalidRequest([FieldError("/days" if by_days else "/from", str(err))]) from err

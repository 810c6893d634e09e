"""What the cache did and what it cost."""

from datetime import timedelta
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import RAISE

from api.http import services, to_response
from api.reply import json_reply
from api.schemas import Statistics, StatisticsQuery
from shared.times import now

blueprint = Blueprint("statistics", __name__, description="What the cache did")


@blueprint.route("/statistics")
@blueprint.arguments(StatisticsQuery(), location="query", unknown=RAISE)
@blueprint.response(200, Statistics())
@blueprint.alt_response(422, "Problem")
def read_statistics(query: dict[str, Any]) -> Response:
    """Count the calls of predict by outcome over the last `days` UTC days, today included."""
    found = services().statistics.read(since=now() - timedelta(days=query["days"] - 1))
    return to_response(json_reply({"days": query["days"], "totals": found.totals, "series": found.series}))

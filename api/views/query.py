"""How an endpoint says which query parameters it has."""

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request
from flask_smorest import Blueprint
from marshmallow import Schema

from api.http.documents import PREFIX
from api.http.query_string import check_query

STRICT = (f"{PREFIX}/", "/jobs/")
LENIENT = f"{PREFIX}/health"
"""Those who probe may add parameters of their own; the front does not look at them either."""

View = Callable[..., Response]


def takes_query(blueprint: Blueprint, schema: Schema) -> Callable[[View], View]:
    """Let a view take a query string, which it gets parsed as its first argument; other views take none."""

    def decorate(view: View) -> View:
        parsing: Any = blueprint.arguments(schema, location="query")(view)
        # Decorators around it copy this too.
        parsing.query_names = [field.data_key or name for name, field in schema.fields.items()]
        taking: View = parsing
        return taking

    return decorate


def check_query_of_view() -> None:
    """Check the query string of the current request; raise InvalidRequest for what its endpoint does not take.

    Only the endpoints under /api/v1 are strict, except health; a wrong path or method is left to the framework.
    """
    path = request.path
    if request.routing_exception is not None or path.startswith(LENIENT) or not path.startswith(STRICT):
        return
    view = current_app.view_functions[request.endpoint or ""]
    check_query(dict(request.args.lists()), getattr(view, "query_names", ()))

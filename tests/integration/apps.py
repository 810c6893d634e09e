"""Flask applications that tests use one after another: to describe all endpoints takes longer than most tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from api.app import describe, serve_from
from api.bootstrap import ApiServices
from shared.domain.catalogue import Catalogue

_IDLE: list[tuple[Catalogue, bool, Flask]] = []


@contextmanager
def lent_app(services: ApiServices) -> Iterator[Flask]:
    """Lend an application that serves from these services, as `create_app` makes it."""
    wanted = (services.catalogue, services.settings.auth)
    found = next((each for each in _IDLE if each[:2] == wanted), None)
    if found is not None:
        _IDLE.remove(found)
    app = found[2] if found is not None else describe(services.catalogue, auth=services.settings.auth)
    serve_from(services, app)
    before = (app.wsgi_app, dict(app.view_functions))
    yield app
    if (app.wsgi_app, app.view_functions) == before:
        _IDLE.append((*wanted, app))

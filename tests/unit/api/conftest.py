import pytest
from examples import SIMULATED
from flask.testing import FlaskClient

from api.app import create_app
from api.bootstrap import build_api
from shared.config import load_settings


@pytest.fixture(scope="module")
def http() -> FlaskClient:
    """A client of an API that reaches no server."""
    return create_app(build_api(load_settings(SIMULATED))).test_client()

import pytest
from flask.testing import FlaskClient

from simulator.app import create_app


@pytest.fixture
def client() -> FlaskClient:
    """A client of a simulator of its own."""
    return create_app().test_client()

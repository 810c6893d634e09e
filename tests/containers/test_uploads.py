"""Uploads, as many and as large as a crowd may send at once."""

import requests

from tests.containers.containers import Containers
from tests.uploads import upload_all

UPLOADS = 200
UPLOAD_BYTES = 9_990_000


def test_two_hundred_uploads_of_ten_megabytes_stay_within_the_memory_of_the_api(stack: Containers) -> None:
    (container,) = stack.ids("api")
    assert upload_all(stack.url(""), UPLOADS, UPLOAD_BYTES) <= {422, 503}
    found = stack.inspect(container)
    assert (found["State"]["OOMKilled"], found["RestartCount"]) == (False, 0)
    assert requests.get(stack.url("/api/v1/health/ready"), timeout=10).ok

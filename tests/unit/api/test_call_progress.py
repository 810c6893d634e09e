from hashlib import sha256
from uuid import uuid4

from examples import TASKS

from api.recording import CallProgress
from shared.domain.request import ANONYMOUS

BODY = b'{"task_type": "chat", "input": "Hi"}'


def test_a_call_that_waits_for_its_job_holds_a_digest_and_no_body() -> None:
    call = CallProgress("mine", ANONYMOUS, TASKS, body=BODY)
    call.accepted(uuid4(), "miss")
    assert call.body == b""
    assert call.body_digest() == {"bytes": len(BODY), "sha256": sha256(BODY).hexdigest()}

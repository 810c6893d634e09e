"""What ends a streamed answer, and with which code."""

import json

import pytest

from cli.asking.streamed import chunk_of
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode


@pytest.mark.parametrize(
    ("code", "ended"), [("stream_interrupted", ExitCode.NOT_ENDED), ("provider_unavailable", ExitCode.JOB_FAILED)]
)
def test_a_stream_that_breaks_off_says_whether_the_job_goes_on(code: str, ended: ExitCode) -> None:
    with pytest.raises(CommandFailed, match="broke off: it is gone") as failed:
        chunk_of(json.dumps({"error": {"message": "it is gone", "code": code}}))
    assert failed.value.exit_code is ended

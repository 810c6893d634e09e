from workers.process.consumer import JobRequest


def test_the_message_of_a_job_cannot_be_revoked() -> None:
    request = JobRequest.__new__(JobRequest)
    request.id = "revoked"
    assert request.revoked() is False

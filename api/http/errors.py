"""What only clients of OpenAI's API are told."""

from shared.errors import NotFound, Unavailable


class ModelNotFound(NotFound):
    """This installation offers no model of this name. GET /v1/models lists those that it does."""

    code = "model_not_found"
    title = "Model not found"


class JobNotEnded(Unavailable):
    """The job goes on, but this request could not wait for it longer. Send it again: it will get the same answer."""

    code = "job_not_ended"
    title = "Job not ended"

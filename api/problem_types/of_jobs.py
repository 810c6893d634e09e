"""Errors that end jobs. A call that waits for its job gets them as problems; in the job they are its `error`."""

from api.problem_types.problem_type import of_a_job
from shared.jobs import errors

OF_JOBS = (
    of_a_job(
        errors.ProviderRateLimited(),
        "The provider's rate limit was reached, and stayed so until the job's attempts or time were used up.",
        "Send the request again in a minute. The operator can get a higher limit from the provider, or name a "
        "fallback model.",
    ),
    of_a_job(
        errors.BreakerOpen(),
        "The provider failed again and again, so it was left alone, and that lasted until the job's deadline.",
        "Send the request again in a few minutes, or name a model of another provider. The provider's status page may "
        "say more.",
    ),
    of_a_job(
        errors.ProviderTimeout(),
        "The provider did not answer within `PROVIDER_TIMEOUT_SECONDS`. Of a stream: no chunk within that time, or no "
        "end within ten times as long.",
        "Send the request again, or one that needs a shorter answer. The operator can raise the timeout.",
    ),
    of_a_job(
        errors.ProviderUnavailable(),
        "The provider can't be reached, or answered with an error of its own, `MAX_ATTEMPTS` times. `detail` quotes "
        "the last one.",
        "Send the request again in a minute, or name another model.",
    ),
    of_a_job(
        errors.BadAnswer(),
        "The provider's answer was empty, truncated or misshapen, `MAX_ATTEMPTS` times. It was not stored.",
        "Send the request again, or name another model: small models fail more often at structured answers.",
    ),
    of_a_job(
        errors.ProviderUnauthorized(),
        "The provider refused the operator's API key, or the worker has none.",
        "The operator has to check the key that `detail` names. Then send the request again.",
    ),
    of_a_job(
        errors.ProviderPaymentRequired(),
        "The operator's credits at the provider are used up.",
        "The operator has to top up the account. Then send the request again.",
    ),
    of_a_job(
        errors.ModelNotAvailable(),
        "The provider does not serve this model, or does so no longer.",
        "Name another model of `GET /api/v1/tasks`. The operator has to set one that is served: `detail` names the "
        "variable.",
    ),
    of_a_job(
        errors.ProviderRejected(),
        "The provider refuses the request itself: its content, or a combination of parameters. `detail` quotes why.",
        "Change what it complains about, or name another model.",
    ),
    of_a_job(
        errors.ImageForbidden(),
        "The picture's address, or one that it redirects to, is not public. AskOnce fetches nothing from private "
        "networks.",
        "Give an address that everybody can reach, or upload the picture. The operator can exempt addresses with "
        "`IMAGE_URL_ALLOW`.",
    ),
    of_a_job(
        errors.ImageUnreachable(),
        "The picture can't be downloaded: the name is unknown, or the server did not answer, or not with 200.",
        "Check that the address works without a login, or upload the picture.",
    ),
    of_a_job(
        errors.ImageTooLarge(),
        "The picture has more bytes than `MAX_IMAGE_BYTES`, or more pixels than `MAX_IMAGE_PIXELS`.",
        "Send a smaller one.",
    ),
    of_a_job(
        errors.ImageUnsupported(),
        "What the address gave is not a readable PNG, JPEG, WebP or GIF, or too costly to decode. `detail` says which.",
        "Send a whole picture in one of these formats.",
    ),
    of_a_job(
        errors.DeadlineExceeded(),
        "The job did not end within `JOB_DEADLINE_SECONDS`: it waited too long for a worker or a provider.",
        "Send the request again: a new job has a deadline of its own. If it comes often, the operator should run more "
        "workers.",
    ),
    of_a_job(
        errors.AttemptsExhausted(),
        "Every attempt lost its worker: the worker was killed, or the machine went away.",
        "Send the request again. If it comes often, the operator finds out why workers die: memory, or deployments.",
    ),
)

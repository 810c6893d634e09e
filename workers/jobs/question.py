"""What a job asks a provider, and the cache addresses of the answer."""

from collections.abc import Mapping
from typing import Any

from shared.cache.lookup import Address
from shared.domain.catalogue import Offer
from shared.domain.conversation import Conversation
from shared.domain.request import Picture, TextInput, key_of, key_parts, picture_identity
from shared.jobs.job import Job
from workers.providers.base import ModelCall


def make_call(job: Job, offer: Offer, picture: Picture | None) -> ModelCall:
    """Return the question to the provider. `picture`: the input of a picture task, None for a text task."""
    found = picture if picture is not None else _written(job.request["input"])
    return ModelCall(task_type=offer.task_type, model=job.model, options=_options(job.request, offer), input=found)


def make_text_call(request: Mapping[str, Any], offer: Offer, model: str) -> ModelCall:
    """Return the question of a request on a text, as a job's row holds it."""
    given = _written(request["input"])
    return ModelCall(task_type=offer.task_type, model=model, options=_options(request, offer), input=given)


def _written(given: Any) -> TextInput | Conversation:  # noqa: ANN401  JSON is any of its types
    return TextInput(given) if isinstance(given, str) else Conversation(given)


def addresses(job: Job, offer: Offer, sha256: str | None) -> list[Address]:
    """Return the job's address and, for a picture given by URL, that of its bytes; no address for a no-store job.

    `sha256`: the picture's digest; None for a text, or if it is not known yet.
    """
    if not job.sharable:
        return []
    keys = [job.cache_key]
    if sha256 is not None:
        keys.append(content_key(job, offer, sha256))
    return [Address(job.namespace, job.task_type, key) for key in dict.fromkeys(keys)]


def content_key(job: Job, offer: Offer, sha256: str) -> str:
    """Return the cache key that the job would have if the picture had been uploaded."""
    return key_with(job, offer, picture_identity(sha256))


def key_with(job: Job, offer: Offer, input_identity: Mapping[str, Any]) -> str:
    """Return the cache key that the job would have with this input."""
    return key_of(
        key_parts(
            namespace=job.namespace,
            task_type=job.task_type,
            prompt_version=offer.task_type.prompt_version,
            provider=job.provider,
            model=job.model,
            options=_options(job.request, offer),
            input_identity=input_identity,
        )
    )


def _options(request: Mapping[str, Any], offer: Offer) -> Mapping[str, Any]:
    """Return every option of the task type; one that is not in the row was not set when the request was accepted."""
    given = request["options"]
    return {option.name: given.get(option.name, option.default) for option in offer.task_type.options}

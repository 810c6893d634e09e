"""All kinds of errors, in groups, as documents list them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.problem_types.of_access import OF_ACCESS
from api.problem_types.of_asking import OF_ASKING
from api.problem_types.of_jobs import OF_JOBS
from api.problem_types.of_requests import OF_REQUESTS
from api.problem_types.of_service import OF_SERVICE
from api.problem_types.problem_type import ProblemType


@dataclass(frozen=True, slots=True)
class Group:
    """Errors that have something in common, which `about` says."""

    title: str
    about: str
    types: tuple[ProblemType, ...]


GROUPS = (
    Group(
        "Requests that can't be served as they are",
        "The same request would get the same error: change it first.",
        OF_REQUESTS,
    ),
    Group("Keys, limits and budgets", "Who may ask, and how much.", OF_ACCESS),
    Group("Asking", "Of calls that ask, and of the jobs and responses that they make.", OF_ASKING),
    Group(
        "The service can't do it now",
        "Each is 503 and has `Retry-After`: the same request may succeed later.",
        OF_SERVICE,
    ),
    Group(
        "Jobs that failed",
        "They are in the `error` of the job, and are a problem with `job_id` for a call that waited for it. Those "
        "that are worth it were tried again first, up to `MAX_ATTEMPTS` times, with growing pauses.",
        OF_JOBS,
    ),
)

PROBLEM_TYPES: Mapping[str, ProblemType] = MappingProxyType(
    {each.code: each for group in GROUPS for each in group.types}
)
"""By code."""


def examples() -> Iterator[str]:
    """Yield the name of every example."""
    for each in PROBLEM_TYPES.values():
        yield from each.examples()

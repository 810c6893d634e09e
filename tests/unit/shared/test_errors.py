import inspect
import re
from collections.abc import Iterator

import pytest

from shared import errors
from shared.errors import AskOnceError, FieldError, InvalidRequest
from shared.jobs import errors as job_errors
from shared.jobs.errors import JobError


def tree(base: type[AskOnceError]) -> Iterator[type[AskOnceError]]:
    yield base
    for found in base.__subclasses__():
        yield from tree(found)


EVERY = [error for error in tree(AskOnceError) if error.__module__ in {"shared.errors", "shared.jobs.errors"}]
PLAIN = [error for error in EVERY if error is not InvalidRequest]
RETRYABLE = {
    *("Unavailable", "Overloaded", "ServerDown", "TierUnavailable", "QueueFull", "RequestNotRecorded"),
    *("DatabaseUnavailable", "DatabaseBusy", "StatementOverdue", "TransactionConflict", "DatabaseExhausted"),
    *("ProviderRateLimited", "ProviderUnavailable", "ProviderTimeout", "BadAnswer", "BreakerOpen", "ContentLocked"),
    "InternalError",
}

every_error = pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)


@every_error
def test_a_code_is_one_word_for_machines(error: type[AskOnceError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)


@every_error
def test_a_title_is_short_and_without_a_full_stop(error: type[AskOnceError]) -> None:
    assert 0 < len(error.title) <= 40
    assert not error.title.endswith(".")


@pytest.mark.parametrize("error", PLAIN, ids=lambda error: error.__name__)
def test_the_docstrings_summary_is_the_default_message(error: type[AskOnceError]) -> None:
    assert error().detail == (inspect.getdoc(error) or "").partition("\n\n")[0]


@pytest.mark.parametrize("error", PLAIN, ids=lambda error: error.__name__)
def test_a_given_message_is_kept(error: type[AskOnceError]) -> None:
    raised = error("Do this instead.")
    assert (raised.detail, str(raised)) == ("Do this instead.", "Do this instead.")


def test_the_retryable_errors_are_these() -> None:
    assert {error.__name__ for error in EVERY if error.retryable} == RETRYABLE


def test_errors_of_their_own_have_codes_of_their_own() -> None:
    # What nobody has foreseen has one code, in a request and in a job.
    own = [error.code for error in EVERY if "code" in vars(error) and error is not AskOnceError]
    assert len(set(own)) == len(own)


def test_a_field_error_is_in_the_message() -> None:
    raised = InvalidRequest([FieldError("/input", "is required"), FieldError("", "must be an object")])
    assert raised.detail == "/input: is required; /: must be an object"


def test_a_job_error_keeps_how_long_to_wait() -> None:
    assert JobError("Slow down.", retry_after=2.5).retry_after == 2.5


def test_the_tree_in_the_docstring_names_only_errors_that_exist() -> None:
    drawings = (inspect.getdoc(errors) or "") + (inspect.getdoc(job_errors) or "")
    drawn = {name for line in re.findall(r"[├└]── (\w+(?:, \w+)*)", drawings) for name in line.split(", ")}
    assert drawn <= {error.__name__ for error in EVERY}

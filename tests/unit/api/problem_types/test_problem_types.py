"""Each kind of error has its paragraph: when it comes, what to do, and an example."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.http.problems import FAILED_JOB_STATUS, STATUS, help_link
from api.problem_types.catalogue import PROBLEM_TYPES
from api.problem_types.of_jobs import OF_JOBS
from api.problem_types.paragraphs import paragraph_of
from api.problem_types.problem_type import ProblemType
from shared import errors
from shared.jobs import errors as job_errors
from shared.jobs.job import JobFailure
from workers.jobs.stop import ClaimLost
from workers.pictures.pixel_budget import DecodersBusy

PAGE = Path(__file__).parents[4] / "docs" / "errors.md"
NEVER_TOLD = {errors.ConfigurationError, job_errors.ContentLocked, ClaimLost, DecodersBusy}
"""What stops the start, what ends an attempt that is no longer ours, and what only makes a job wait."""

BASES = {job_errors.JobError, job_errors.ProviderError}
TELLS_WHAT_TO_DO = re.compile(
    r"\b(Send|Try|Use|Ask|Check|Make|Read|Give|Change|Mend|Compare|Name|Let|add|send|ask|must|takes|is required"
    r"|has to|/docs|lists them|Did you mean)\b"
)

every_type = pytest.mark.parametrize("each", PROBLEM_TYPES.values(), ids=lambda each: str(each.code))


def with_codes(base: type[errors.AskOnceError]) -> Iterator[type[errors.AskOnceError]]:
    for found in base.__subclasses__():
        if "code" in vars(found):
            yield found
        yield from with_codes(found)


def test_every_error_that_is_told_has_its_paragraph() -> None:
    told = set(with_codes(errors.AskOnceError)) - NEVER_TOLD - BASES
    assert {each.code for each in told} | set(FAILED_JOB_STATUS) <= PROBLEM_TYPES.keys()
    assert {each.code for each in STATUS if "code" in vars(each)} <= PROBLEM_TYPES.keys()


def test_no_error_has_two_paragraphs() -> None:
    headings = re.findall(r"^### (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(set(headings)) == len(headings) == len(PROBLEM_TYPES)


@every_type
def test_a_paragraph_says_when_and_what_to_do(each: ProblemType) -> None:
    about = paragraph_of(each)
    assert about.when.endswith(".")
    assert about.remedy.endswith(".")
    assert about.examples


@every_type
def test_every_error_itself_says_what_to_do(each: ProblemType) -> None:
    for reply in each.examples().values():
        found = json.loads(reply.body)
        detail = found["error"]["message"] if each.compatible_only else found["detail"]
        assert TELLS_WHAT_TO_DO.search(detail), detail


@every_type
def test_the_type_of_an_error_leads_to_its_paragraph(each: ProblemType, http: FlaskClient) -> None:
    """On the page that is served, and in the document, where an anchor is the heading in lower case with hyphens."""
    path, _, anchor = help_link(each.code).partition("#")
    page = http.get(path)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert page.text.count(f'id="{anchor}"') == 1
    headings = re.findall(r"^### (.+)$", PAGE.read_text(), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    for reply in (*each.examples().values(), *each.compatible_examples().values()):
        assert reply.headers["Link"] == f'<{help_link(each.code)}>; rel="help"'


def test_the_page_is_plain_and_loads_only_its_style(http: FlaskClient) -> None:
    page = http.get("/docs/errors").text
    assert not re.search(r"<script|style=|\son\w+=|`|\]\(|\*\*", re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL))
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', page)) == {"/docs/errors.css", "/docs"}
    assert http.get("/docs/errors.css").mimetype == "text/css"


def test_an_error_of_a_job_is_told_with_what_to_do() -> None:
    told = {each.code: json.loads(next(iter(each.examples().values())).body)["detail"] for each in OF_JOBS}
    assert told["provider_timeout"] == (
        "The provider did not answer in time. Send the request again, or one that needs a shorter answer."
    )


def test_a_detail_of_others_ends_before_what_to_do_begins() -> None:
    told = JobFailure.of(job_errors.ProviderRejected("Groq answered 400: messages too long")).detail
    assert told == "Groq answered 400: messages too long. Change what it refuses, or name another model."

"""What schemathesis does not know of the API: rules that no schema can say, and what every response must have."""

import itertools
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import http_sf
import schemathesis
from schemathesis import AuthContext, Case, CheckContext, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

from api.schemas.queries import REQUEST_ID
from tests.fuzz.openapi import KEYS_VARIABLE

PREDICT, EXPLAIN = "/api/v1/predict", "/api/v1/explain"
COMPLETIONS, EMBEDDINGS, RESPONSES = "/v1/chat/completions", "/v1/embeddings", "/v1/responses"
WEB = re.compile(r"\s*https?:", re.IGNORECASE)
MACHINE = re.compile(r"localhost|127\.0\.0\.1|::1|0x7f\.1")

BEYOND_SCHEMAS = (
    # Rules between two parameters.
    ("/days", r"can't be combined with `from` and `to`|must cover at most \d+ days with .*"),
    ("/from", r"must be before `to`|must cover at most \d+ days with .*"),
    # The time now.
    ("/expires_at", r"must be a time to come"),
    # What a pattern of a URL, and one of base64, would have to say.
    ("/input", r"must be a public address|must have a valid host and port|must use port 80 or 443|must be a valid URL"),
    ("/input", r"must not (hold a user name or password|contain blanks, control characters or backslashes)"),
    ("/input", r"must be a data URL in base64: .*|holds invalid base64|must have at most 2048 characters"),
    # What is inside a picture.
    ("/input|/file", r"The (picture|\w+ file) .*|must not be empty"),
    # What the operator has set.
    ("/model", r"has no known price, and the dollars of this key are limited: .*"),
    # Of Unicode.
    ("/(input|options/.*)", r"must not have more than 30 combining marks in a row"),
    ("/options/history", r"must have at most \d+ characters in all"),
)
"""Pointers and details of refusals whose rule OpenAPI has no words for."""


KEYS = os.environ.get(KEYS_VARIABLE, "").split()

OF_PROVIDER = {
    *((COMPLETIONS, 400), (EMBEDDINGS, 400)),
    *((f"{EXPLAIN}/chat/completions", 422), (f"{EXPLAIN}/embeddings", 422)),
}
"""Refusals of bodies that are the provider's to judge."""

BEYOND_SCHEMAS_OF_COMPATIBLE = r": must not contain |answered 400"
"""The same of chat completions and embeddings; much of what they may have is for the provider to judge."""

if KEYS:

    @schemathesis.auth(refresh_interval=None)
    class EachKeyInTurn:
        """Sends a key with each call: one scope may do what the next one may not."""

        _keys = itertools.cycle(KEYS)

        def get(self, _case: Case, _context: AuthContext) -> str:
            """Return the next key."""
            return next(self._keys)

        def set(self, case: Case, data: str, _context: AuthContext) -> None:
            """Send it."""
            case.headers["Authorization"] = f"Bearer {data}"


TYPES = {
    "quota_exceeded": "https://iana.org/assignments/http-problem-types#quota-exceeded",
}
"""The types of problems that do not follow from their codes."""


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Let no call wait for the end of a job: there may be no worker."""
    if case.path in {COMPLETIONS, EMBEDDINGS, RESPONSES}:
        case.headers["Prefer"] = "respond-async"


@schemathesis.hook
def filter_case(_context: HookContext, case: Case) -> bool:
    """Send nothing that would make a worker fetch a picture from another machine."""
    return not any(WEB.match(text) and not MACHINE.fullmatch(_host(text)) for text in _texts(case.body))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _host(url: str) -> str:
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Exception, case: Case, response: Response) -> bool:
    """Keep a failure, unless it is a refusal by a rule that no schema can say, or for want of time.

    A key that was deleted is revoked, and still there to be read.
    """
    if isinstance(failure, UseAfterFree) and response.json().get("status") == "revoked":
        return False
    if (
        isinstance(failure, AcceptedNegativeData)
        and isinstance(case.body, dict)
        and case.body.get("options", 0) is None
    ):
        # It changed the rules for options, of which there are none.
        return False
    of_response = (case.path, response.status_code) in {(RESPONSES, 400), (f"{EXPLAIN}/responses", 422)}
    if isinstance(failure, RejectedPositiveData) and of_response:
        # What they may have is told in documents of OpenAI's, which are long.
        return False
    of_provider = (case.path, response.status_code) in OF_PROVIDER
    if isinstance(failure, RejectedPositiveData) and of_provider:
        return not re.search(BEYOND_SCHEMAS_OF_COMPATIBLE, response.text)
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in {408, 422}:
        return True
    return response.status_code == 422 and not all(map(_is_beyond_schemas, response.json()["errors"]))


def _is_beyond_schemas(error: dict[str, str]) -> bool:
    pointer, detail = error["pointer"], error["detail"]
    return any(re.fullmatch(where, pointer) and re.fullmatch(said, detail) for where, said in BEYOND_SCHEMAS)


@schemathesis.check
def every_response_is_marked(_context: CheckContext, response: Response, _case: Case) -> None:
    """Every response has a sane id, is not stored by others, and is of the type that it says."""
    (known_as,) = response.headers.get("x-request-id", [""])
    assert re.fullmatch(REQUEST_ID, known_as), known_as
    assert response.headers.get("x-content-type-options") == ["nosniff"]
    assert response.headers.get("cache-control") == ["no-store"]
    assert "x-injected" not in response.headers


@schemathesis.check
def a_problem_is_what_the_status_says(_context: CheckContext, response: Response, case: Case) -> None:
    """A problem has the status of its response, the type of its code, and says when to try again."""
    if response.status_code < 400:
        return
    if case.path.startswith("/v1/"):
        assert response.json()["error"].keys() == {"message", "type", "param", "code"}
        return
    assert response.headers.get("content-type") == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    leads = f"/docs/errors#{problem['code'].replace('_', '-')}"
    assert problem["type"] == TYPES.get(problem["code"], leads)
    helps = "/api/v1/explain" if problem["code"] == "not_cached" else leads
    assert response.headers.get("link") == [f'<{helps}>; rel="help"']
    in_time = response.status_code == 503 or (response.status_code == 429 and problem["retryable"])
    assert in_time <= ("retry-after" in response.headers) <= (response.status_code in {429, 503})
    assert ("allow" in response.headers) == (response.status_code == 405)


@schemathesis.check
def an_answer_says_where_it_came_from(_context: CheckContext, response: Response, case: Case) -> None:
    """The status of the cache is structured as RFC 9211 says, and agrees with the answer."""
    if (case.method.upper(), case.path) != ("POST", PREDICT) or response.status_code not in {200, 202}:
        return
    (value,) = response.headers.get("cache-status", [""])
    members = http_sf.parse(value.encode(), tltype="list")
    cache = response.json()["cache"]
    hits = [str(name) for name, parameters in members if parameters.get("hit")]
    assert hits == ([cache["tier"]] if cache["hit"] else []), value
    assert all(("hit" in parameters) != ("fwd" in parameters) for _, parameters in members), value
    assert ("age" in response.headers) == cache["hit"]

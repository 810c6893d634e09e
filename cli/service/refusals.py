"""What the service refuses, as a sentence that says what to do, and an exit code."""

from collections.abc import Mapping
from typing import Any

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode

BY_STATUS: Mapping[int, ExitCode] = {
    400: ExitCode.USAGE,
    401: ExitCode.NOT_ALLOWED,
    403: ExitCode.NOT_ALLOWED,
    404: ExitCode.NOT_FOUND,
    413: ExitCode.USAGE,
    415: ExitCode.USAGE,
    421: ExitCode.NOT_ALLOWED,
    422: ExitCode.USAGE,
    429: ExitCode.TRY_LATER,
    503: ExitCode.TRY_LATER,
}
"""Those that are not here are FAILED."""

BY_CODE: Mapping[str, ExitCode] = {
    "database_unavailable": ExitCode.AWAY,
    "job_cancelled": ExitCode.JOB_FAILED,
    "not_cached": ExitCode.NOT_FOUND,
    "not_ready": ExitCode.AWAY,
    "server_down": ExitCode.AWAY,
    "tier_unavailable": ExitCode.AWAY,
}
"""They come before the status."""

ADVICE: Mapping[int, str] = {
    401: "Set ASKONCE_KEY in the environment or .env; `askonce keys create NAME` makes a key.",
    403: "`askonce keys create NAME --scopes ...` makes a key with more scopes.",
}


class Refused(CommandFailed):
    """The service answered with an error.

    `problem`: its document. `retry_after`: seconds after which to try again, None where that is of no use.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status, self.problem = status, problem
        self.code = str(problem.get("code") or _of_openai(problem).get("code") or "")
        self.retry_after = _seconds(headers.get("Retry-After")) if problem.get("retryable", True) else None
        super().__init__(_sentence(status, problem), self._exit_code())

    def _exit_code(self) -> ExitCode:
        if "job_id" in self.problem:
            return ExitCode.JOB_FAILED
        return BY_CODE.get(self.code, BY_STATUS.get(self.status, ExitCode.FAILED))


def _sentence(status: int, problem: Mapping[str, Any]) -> str:
    detail = problem.get("detail") or _of_openai(problem).get("message") or f"the service answered with {status}"
    fields = problem.get("errors")
    if isinstance(fields, list) and fields:
        detail = "\n  ".join(("the service refuses this:", *(f"{_where(each)}: {each['detail']}" for each in fields)))
    return f"{detail} {ADVICE[status]}" if status in ADVICE else str(detail)


def _where(field: Mapping[str, Any]) -> str:
    return str(field["pointer"]).removeprefix("/") or "request"


def _of_openai(problem: Mapping[str, Any]) -> Mapping[str, Any]:
    error = problem.get("error")
    return error if isinstance(error, dict) else {}


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None

"""With which code the command `askonce` ends."""

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """What became of a command, for scripts; MEANINGS says each in words."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    AWAY = 3
    NOT_ALLOWED = 4
    NOT_FOUND = 5
    JOB_FAILED = 6
    NOT_ENDED = 7
    TRY_LATER = 8
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "it failed, or `doctor` found something wrong; the message says what",
    ExitCode.USAGE: "wrong arguments or files, or the service refused what was sent",
    ExitCode.AWAY: "the service, or a server that is needed, does not answer",
    ExitCode.NOT_ALLOWED: "the API key is missing, not valid, or lacks a scope",
    ExitCode.NOT_FOUND: "there is no such job, key or answer",
    ExitCode.JOB_FAILED: "the job failed or was cancelled",
    ExitCode.NOT_ENDED: "the job had not ended in time; it goes on",
    ExitCode.TRY_LATER: "a limit or a budget is used up, or the service has too much to do",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C",
    ExitCode.BROKEN_PIPE: "whoever read the output stopped reading",
}

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from uuid import UUID

import pytest

from shared.logs.format import JsonFormat, TextFormat, configure_logging

JOB = UUID(int=1)


def record(message: str = "Job done", *args: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("shared.jobs.job", logging.WARNING, "jobs.py", 1, message, args, None)
    vars(made).update(fields)
    return made


def failed() -> logging.LogRecord:
    made = record("Job failed", job_id=JOB)
    try:
        raise ValueError("broken")  # noqa: EM101  short on purpose
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def as_json(given: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = json.loads(JsonFormat().format(given))
    return found


def test_text_is_the_sentence_and_then_its_fields() -> None:
    line = TextFormat("%(levelname)s %(message)s").format(record(job_id=JOB, attempt=2))
    assert line == f"WARNING Job done job_id={JOB} attempt=2"


def test_a_sentence_without_fields_stands_alone() -> None:
    assert TextFormat("%(message)s").format(record()) == "Job done"


def test_the_arguments_of_a_sentence_are_filled_in() -> None:
    assert TextFormat("%(message)s").format(record("%s of %d", "one", 2)) == "one of 2"


def test_the_fields_stand_beside_the_sentence_and_before_the_traceback() -> None:
    first, *_, last = TextFormat("%(message)s").format(failed()).splitlines()
    assert (first, last) == (f"Job failed job_id={JOB}", "ValueError: broken")


def test_a_value_can_not_forge_a_line() -> None:
    line = TextFormat("%(message)s").format(record(path="/\n12:00:00 ERROR forged"))
    assert "\n" not in line


def test_a_sentence_of_a_library_can_not_forge_a_line() -> None:
    line = TextFormat("%(levelname)s %(message)s").format(record("Unknown: %s", "x\n12:34:56 INFO Job completed"))
    assert line == r"WARNING 'Unknown: x\n12:34:56 INFO Job completed'"


def test_json_is_one_object_a_line() -> None:
    assert "\n" not in JsonFormat().format(failed())


def test_json_has_level_logger_sentence_and_fields() -> None:
    found = as_json(record(job_id=JOB))
    del found["at"]
    assert found == {"level": "WARNING", "logger": "shared.jobs.job", "message": "Job done", "job_id": str(JOB)}


def test_json_tells_when_in_utc() -> None:
    assert str(as_json(record())["at"]).endswith("Z")


def test_json_has_the_traceback() -> None:
    assert "ValueError: broken" in str(as_json(failed())["exception"])


@pytest.fixture
def root_logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The root logger, without handlers.

    After the test, levels and handlers of all loggers that `configure_logging` changes are as before, and so are the
    hooks for uncaught exceptions.
    """
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    names = (None, "httpx", "httpcore", "urllib3", "celery.worker.strategy", "celery.app.trace", "celery.beat")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    for handler in loggers[0].handlers[:]:
        loggers[0].removeHandler(handler)
    yield loggers[0]
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize(("log_format", "kind"), [("json", JsonFormat), ("text", TextFormat)])
def test_the_setting_chooses_the_format(
    root_logger: logging.Logger, log_format: str, kind: type[logging.Formatter]
) -> None:
    configure_logging("INFO", log_format)
    assert [type(handler.formatter) for handler in root_logger.handlers] == [kind]


def test_the_setting_chooses_the_level(root_logger: logging.Logger) -> None:
    configure_logging("ERROR", "text")
    assert root_logger.level == logging.ERROR


def test_libraries_that_log_every_call_are_quiet(root_logger: logging.Logger) -> None:
    configure_logging("INFO", "text")
    assert root_logger.isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def test_the_log_goes_to_standard_error(root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "text")
    root_logger.info("Started", extra={"port": 8000})
    output = capsys.readouterr()
    assert (output.out, output.err.endswith("INFO Started port=8000\n")) == ("", True)


ENDINGS = {
    "an uncaught error": "raise RuntimeError('two\\nlines')",
    "an error in a thread": "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()",
    "a warning": "warnings.warn('old')",
}


@pytest.mark.parametrize("code", ENDINGS.values(), ids=ENDINGS)
def test_whatever_a_process_says_in_json_is_json(code: str) -> None:
    start = "import threading, warnings; from shared.logs.format import configure_logging as c; c('INFO', 'json');"
    done = subprocess.run([sys.executable, "-c", f"{start} {code}"], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(lines) == 1

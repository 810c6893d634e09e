"""How log lines look: a short sentence and its fields, as text or as JSON."""

import json
import logging
import sys
import threading
from types import TracebackType

from shared.logs.context import WithContext
from shared.times import now, rfc3339

logger = logging.getLogger(__name__)

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

LEAST_LEVELS = {
    "groq": logging.INFO,  # at DEBUG it logs the client's input
    "urllib3": logging.ERROR,  # at WARNING it logs pictures' URLs
    "httpx": logging.WARNING,  # one line a call
    "httpcore": logging.WARNING,
    "celery.app.trace": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    "celery.beat": logging.WARNING,
    "alembic": logging.WARNING,
    "flower": logging.WARNING,
    "opentelemetry": logging.CRITICAL,  # a line or more for each batch that fails: shared/traces/otlp.py says it
    "tornado.access": logging.CRITICAL,  # one line a call of Flower
}


class TextFormat(logging.Formatter):
    """`12:34:56 WARNING Sentence key=value`. Neither a value nor the sentence of a library can break its line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the standard library's own name
        """Write the sentence, then the fields."""
        record.message = _on_one_line(record.message)
        fields = "".join(f" {name}={_on_one_line(value)}" for name, value in _fields(record).items())
        return f"{super().formatMessage(record)}{fields}"


class JsonFormat(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level, logger, message and the fields."""
        line = {"at": rfc3339(now()), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({**line, **_fields(record)}, default=str)


def configure_logging(level: str, log_format: str) -> None:
    """Send the log of this process to standard error; `log_format` is text or json.

    Python's warnings and the errors that nobody catches become log lines too.
    """
    formatter = (
        JsonFormat() if log_format == "json" else TextFormat("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    )
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(formatter)
    output.addFilter(WithContext())
    logging.basicConfig(level=level, handlers=[output], force=True)
    for name, least in LEAST_LEVELS.items():
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), least))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("Ended by an error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is None or issubclass(failed.exc_type, SystemExit):
        return
    name = failed.thread.name if failed.thread else None
    trace = (failed.exc_type, failed.exc_value, failed.exc_traceback)
    logger.critical("A thread was ended by an error", exc_info=trace, extra={"thread_name": name})


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in STANDARD and not name.startswith("_")}


def _on_one_line(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else repr(text)

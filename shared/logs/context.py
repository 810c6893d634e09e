"""What every log line of a piece of work carries: the id of its request, or of its job."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_fields: ContextVar[Mapping[str, str]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def log_fields(**fields: str | None) -> Iterator[None]:
    """Let every line that this thread, or this coroutine, logs within carry these fields; None is left out.

    Work that goes on in another thread enters again there, with the same values.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    token = _fields.set({**_fields.get(), **given})
    try:
        yield
    finally:
        _fields.reset(token)


class WithContext(logging.Filter):
    """Adds the fields to each line that does not say them itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line pass."""
        for name, value in _fields.get().items():
            vars(record).setdefault(name, value)
        return True

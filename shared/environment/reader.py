"""Reads environment variables as typed values; every error names the variable."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from shared.environment.addresses import base_url, redis_url
from shared.errors import ConfigurationError

T = TypeVar("T")
_HEADER_NAME = re.compile("[a-z0-9!#$%&'*+.^_`|~-]+")


class Environment:
    """Reads one variable at a time; an empty one counts as unset. Raises ConfigurationError for a wrong value."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._asked_for: set[str] = set()

    @property
    def names_asked_for(self) -> frozenset[str]:
        """The names of all variables that were read so far, set or not."""
        return frozenset(self._asked_for)

    def text(self, name: str) -> str | None:
        """Return the value without surrounding space, None when unset."""
        self._asked_for.add(name)
        return (self._variables.get(name) or "").strip() or None

    def path(self, name: str) -> Path | None:
        """Return the path of a file, of the working directory if it is relative; None when unset."""
        text = self.text(name)
        return None if text is None else Path(text).absolute()

    def key(self, name: str) -> str | None:
        """Return a secret that is valid in an HTTP header, None when unset."""
        return self.parsed(name, header_value, "") or None

    def names(self, name: str) -> tuple[str, ...]:
        """Return the items of a comma-separated list, empty when unset."""
        return tuple(part.strip() for part in (self.text(name) or "").split(",") if part.strip())

    def parsed(self, name: str, parse: Callable[[str], T], default: str) -> T:
        """Return the result of `parse`; turns its ValueError into ConfigurationError."""
        try:
            return parse(self.text(name) or default)
        except ValueError as err:
            message = f"{name}: {err}"
            raise ConfigurationError(message) from err

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """Return a whole number within the bounds."""
        return self.parsed(name, lambda text: _bounded(_whole(text), minimum, maximum), str(default))

    def number(self, name: str, default: float, minimum: float, maximum: float) -> float:
        """Return a number within the bounds."""
        return self.parsed(name, lambda text: _bounded(float(text), minimum, maximum), str(default))

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """Return one of the choices."""

        def parse(text: str) -> str:
            if text not in choices:
                message = f"must be one of {', '.join(filter(None, choices))}, is {text!r}"
                raise ValueError(message)
            return text

        return self.parsed(name, parse, default)

    def flag(self, name: str) -> bool:
        """Return whether the value is `true`; unset is `false`."""
        return self.choice(name, "false", ("true", "false")) == "true"

    def url(self, name: str) -> str | None:
        """Return an http(s) URL to which paths can be appended, without a trailing slash; None when unset."""
        return self.parsed(name, lambda text: base_url(text) if text else "", "") or None

    def redis_url(self, name: str, default: str) -> str:
        """Return a URL that redis-py and Celery both understand."""
        return self.parsed(name, redis_url, default)


N = TypeVar("N", int, float)


def _whole(text: str) -> int:
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        message = f"must be a whole number, is {text!r}"
        raise ValueError(message)
    return int(text)


def _bounded(value: N, minimum: N, maximum: N) -> N:
    if not minimum <= value <= maximum:
        message = f"must be from {minimum:g} to {maximum:g}, is {value:g}"
        raise ValueError(message)
    return value


def named_header_values(text: str) -> dict[str, str]:
    """Return headers from `name=value`, several by comma; raise ValueError, which never quotes the text."""
    pairs = [part.partition("=") for part in header_value(text).split(",") if part.strip()]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if not all(_HEADER_NAME.fullmatch(name) and value for name, value in headers.items()):
        message = "must be name=value, or several by comma"
        raise ValueError(message)
    return headers


def header_value(text: str) -> str:
    """Return a text that an HTTP header can carry, unchanged; raise ValueError for others."""
    if not (text.isascii() and text.isprintable()):
        message = "holds a character that no HTTP header can carry; it must be plain ASCII on one line"
        raise ValueError(message)
    return text


def names_and_passwords(text: str) -> tuple[str, ...]:
    """Return the parts of `name:password`, several by comma, each whole; raise ValueError."""
    pairs = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(name and password for name, _, password in (pair.partition(":") for pair in pairs)):
        message = "must be name:password, or several by comma"
        raise ValueError(message)
    return pairs

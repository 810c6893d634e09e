"""Reads a TOML file so that every error names the file, and the line where the operator has to look."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any

from shared.errors import ConfigurationError

MAX_BYTES = 1_000_000

Where = tuple[str, ...]
"""The keys that lead to a value: `("providers", "vllm", "base_url")`."""

_POSITION = re.compile(r" \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)\Z")


@dataclass(frozen=True)
class TomlFile:
    """A file that is valid TOML. `setting`: the variable that names it. Numbers with a fraction are Decimals."""

    setting: str
    path: Path
    text: str = field(repr=False)

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The whole document."""
        return _parsed(self.text)

    def error(self, where: Where, what: str) -> ConfigurationError:
        """Return an error about the value at `where`, which exists."""
        return _error(self.setting, self.path, self._line_of(where), what)

    def _line_of(self, where: Where) -> int:
        """Return the line on which the statement begins that defines a value, from 1.

        The parser tells no positions. But what the first n lines define can be asked of it: the statement ends on the
        first line with which the value is there, and begins after the line before it on which another one ends.
        """
        lines = self.text.split("\n")

        def ends(count: int) -> int:
            """Return how many lines the whole statements of the first `count` lines have."""
            while not _is_toml(lines[:count]):
                count -= 1
            return count

        def is_defined(count: int) -> bool:
            return _has(_parsed("\n".join(lines[: ends(count)])), where)

        last = bisect_left(range(1, len(lines) + 1), x=True, key=is_defined) + 1
        return ends(last - 1) + 1


def read_toml(setting: str, path: Path) -> TomlFile:
    """Return the file; raise ConfigurationError if it can't be read, is too large, or is no TOML."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        # As the parser does, so that lines are counted alike.
        text = content.decode().replace("\r\n", "\n")
    except OSError as err:
        message = f"{setting}: {path} can't be read: {err.strerror or err}"
        raise ConfigurationError(message) from err
    except UnicodeDecodeError as err:
        raise _error(setting, path, content[: err.start].count(b"\n") + 1, "not UTF-8") from err
    if len(content) > MAX_BYTES:
        message = f"{setting}: {path} has more than {MAX_BYTES} bytes"
        raise ConfigurationError(message)
    try:
        _parsed(text)
    except tomllib.TOMLDecodeError as err:
        found = _POSITION.search(str(err))
        line = int(found["line"]) if found and found["line"] else text.rstrip().count("\n") + 1
        raise _error(setting, path, line, f"no TOML: {_POSITION.sub('', str(err))}") from err
    except (ValueError, RecursionError) as err:
        raise _error(setting, path, _excess(text.split("\n")), "a number or a nested list is too long") from err
    return TomlFile(setting, path, text)


def _excess(lines: list[str]) -> int:
    """Return the first line, from 1, with which the parser can't go on although it is TOML."""

    def is_excessive(count: int) -> bool:
        try:
            _parsed("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            return False
        except (ValueError, RecursionError):
            return True
        return False

    return bisect_left(range(1, len(lines) + 1), x=True, key=is_excessive) + 1


def _error(setting: str, path: Path, line: int, what: str) -> ConfigurationError:
    return ConfigurationError(f"{setting}: {path}, line {line}: {what}")


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=_exact)


def _exact(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation as err:
        raise ValueError(number) from err


def _is_toml(lines: list[str]) -> bool:
    try:
        _parsed("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _has(content: Mapping[str, Any], where: Where) -> bool:
    found: Any = content
    for key in where:
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = found[key]
    return True

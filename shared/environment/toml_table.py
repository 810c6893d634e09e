"""Reads the keys of one TOML table as typed values."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

from shared.environment.toml_file import TomlFile, Where

T = TypeVar("T")

_KINDS = {str: "a text", dict: "a table", list: "a list", bool: "true or false"}


@dataclass(frozen=True)
class Table:
    """A table, or one of its tables. Every method raises ConfigurationError, with the line, for what is wrong."""

    file: TomlFile
    where: Where
    content: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Return what messages call it: its header, `the file` for the whole document."""
        return f"[{'.'.join(self.where)}]" if self.where else "the file"

    def refuse(self, what: str, key: str | None = None) -> NoReturn:
        """Raise an error about the table, or about the value of one of its keys."""
        raise self.file.error((*self.where, *([] if key is None else [key])), what)

    def refuse_others(self, allowed: Collection[str]) -> None:
        """Raise for the first key that is not among these."""
        for key in self.content:
            if key not in allowed:
                near = get_close_matches(key, allowed, n=1)
                hint = f"did you mean {near[0]}?" if near else f"it may have {', '.join(allowed)}"
                self.refuse(f"{self.title} can't have {key!r}; {hint}", key)

    def table(self, key: str) -> "Table":
        """Return the table at a key, an empty one without the key."""
        return Table(self.file, (*self.where, key), self._value(key, dict) or {})

    def tables(self, key: str) -> Iterator[tuple[str, "Table"]]:
        """Return the tables of the table at a key by their names; none without the key."""
        inner = self.table(key)
        return ((name, inner.table(name)) for name in inner.content)

    def text(self, key: str) -> str | None:
        """Return a text, None without the key. An empty one is wrong."""
        found: str | None = self._value(key, str)
        if found is not None and (not found.strip() or not found.isprintable()):
            self.refuse(f"{key} must be a text on one line, and not empty", key)
        return found

    def texts(self, key: str) -> list[str]:
        """Return a list of texts; one text is a list of one."""
        found = self.content[key]
        texts = [found] if isinstance(found, str) else found
        if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
            self.refuse(f"{key} must be a text, or a list of texts", key)
        return texts

    def parsed(self, key: str, parse: Callable[[str], T]) -> T | None:
        """Return what `parse` makes of a text; turns its ValueError into ConfigurationError."""
        text = self.text(key)
        try:
            return None if text is None else parse(text)
        except ValueError as err:
            self.refuse(f"{key} {err}", key)

    def choice(self, key: str, choices: Collection[str]) -> str | None:
        """Return one of the choices, None without the key."""
        found = self.text(key)
        if found is not None and found not in choices:
            self.refuse(f"{key} must be one of {', '.join(choices)}, is {found!r}", key)
        return found

    def flag(self, key: str) -> bool:
        """Return a truth value, False without the key."""
        return bool(self._value(key, bool))

    def integer(self, key: str, maximum: int) -> int | None:
        """Return a whole number from 0 to `maximum`, None without the key."""
        found = self.content.get(key)
        if found is not None and (type(found) is not int or not 0 <= found <= maximum):
            self.refuse(f"{key} must be a whole number from 0 to {maximum}", key)
        return found

    def decimal(self, key: str, minimum: Decimal, maximum: Decimal) -> Decimal | None:
        """Return a number within the bounds, exactly as it is written; None without the key."""
        found = self.content.get(key)
        number = Decimal(found) if type(found) is int else found
        if number is None:
            return None
        if not isinstance(number, Decimal) or not number.is_finite() or not minimum <= number <= maximum:
            self.refuse(f"{key} must be a number from {minimum} to {maximum}", key)
        return number

    def _value(self, key: str, kind: type) -> Any:  # noqa: ANN401  of this kind, or None
        found = self.content.get(key)
        if found is not None and not isinstance(found, kind):
            self.refuse(f"{key} must be {_KINDS[kind]}", key)
        return found

"""A number in a JSON body."""

from typing import Any

from marshmallow import ValidationError, fields

from shared.domain.inputs import WrongValue
from shared.domain.options import Integer, Number


class JsonNumber(fields.Field[Any]):
    """A number as JSON Schema has it, by rules that differ from marshmallow's.

    5.0 is a whole number, and 0.5, "5" and true are none.
    """

    def __init__(self, kind: Integer | Number, rule: str, about: str, **kwargs: Any) -> None:  # noqa: ANN401  marshmallow's own keywords
        """`rule`: what is said of any other value. `about`: the description in the OpenAPI document."""
        self._kind, self._rule = kind, rule
        super().__init__(metadata={**kind.json_schema(), "description": about}, error_messages={"null": rule}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | float:  # noqa: ANN401  marshmallow's own signature
        del attr, data, kwargs
        try:
            return self._kind.check(value, 0)
        except WrongValue as err:
            raise ValidationError(self._rule) from err

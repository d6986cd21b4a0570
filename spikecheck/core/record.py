"""The base of every stored or reported value: frozen, strict, comparable, and canonical as JSON."""

import json
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from spikecheck.core.errors import SettingError

BEYOND_STEPS = 2**53
"""No step is as large: smaller integers are exact as floats, in which steps are drawn and kept beside losses."""


class Record(BaseModel):
    """A frozen value. An invalid field raises one `SettingError` that names the field, its value and the range."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    added: ClassVar[frozenset[str]] = frozenset()
    """Fields added after the first release. At their defaults they are left out of the canonical text, so that seeds and
    stored runs identified by the earlier text remain valid."""

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_in_one_line(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or cls.__name__
            raise SettingError(f"{field}={first['input']!r}: {first['msg'].lower()}") from error

    def canonical(self) -> str:
        """The canonical JSON text of this value: keys are sorted, without spaces; equal values have equal texts."""
        return json.dumps(self._identity(), sort_keys=True, separators=(",", ":"))

    def _identity(self) -> dict[str, Any]:
        identity = self.model_dump(mode="json", by_alias=True)
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Record):
                identity[name] = value._identity()
            elif name in self.added and value == field.default:
                del identity[name]
        return identity

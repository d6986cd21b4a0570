"""The base of every value that is written down: frozen, strict, comparable, and canonical as JSON."""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from spikecheck.core.errors import SettingError


class Record(BaseModel):
    """A frozen value. What does not fit raises one `SettingError` that names the field, its value and the range."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

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
        """The one JSON text of this value: sorted keys, no spaces; equal values have equal texts."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))

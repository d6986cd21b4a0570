"""Docstrings as reST: bars are absolute values, errors are a list, and a record's fields are a table."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

from _extension.schema_tables import rows
from spikecheck import Setting
from spikecheck.core.events import Observer
from spikecheck.core.probe import Probe
from spikecheck.core.run import Array
from spikecheck.harness.claim import Claim
from spikecheck.report.phrases import conditions

_LITERAL = re.compile(r"(`+[^`]+`+)")
_SHORTER = {
    stringify_annotation(Array, "smart"): "Array",
    stringify_annotation(Observer, "smart"): "Observer",
    "<function ignore>": "ignore",
    "<factory>": "...",
}
"""What signatures say at length, and what the code calls it. An array's shape is in the docstring."""


def as_rest(lines: Iterable[str]) -> Iterator[str]:
    """A docstring's lines with what reST would take for markup escaped; examples stay as they are."""
    within = ""
    for line in lines:
        within = _part(line, within)
        if within == "example":
            yield line
        elif within == "errors" and line.startswith("    "):
            yield f"{'  ' if line.startswith(' ' * 8) else '* '}{_escaped(line.strip())}"
        else:
            yield from (_escaped(line), *([""] if within == "errors" else []))


def _part(line: str, before: str) -> str:
    """Whether a line belongs to an example or to the list of errors: both end with an empty line."""
    if line.lstrip().startswith(">>>"):
        return "example"
    return "errors" if line == "Raises:" else before if line.strip() else ""


def _escaped(line: str) -> str:
    parts = _LITERAL.split(line)
    return "".join(part if part.startswith("`") else part.replace("|", r"\|") for part in parts)


def field_table(record: type[BaseModel]) -> Iterator[str]:
    """A record's fields as a reST table."""
    yield from ("", ".. list-table::", "   :header-rows: 1", "", "   * - field", "     - type", "     - meaning")
    for row in rows(record.model_json_schema(by_alias=True)):
        yield from (f"   * - `{row.name}`", f"     - {_escaped(row.kind)}", f"     - {_escaped(row.meaning)}")
    yield ""


def _rewrite(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [conditions(obj)] if isinstance(obj, Setting) else as_rest(lines)
    if isinstance(obj, type) and issubclass(obj, BaseModel):
        lines += field_table(obj)


def _sign(app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None) -> Any:
    """Fields that are given by name stand below with their types; in the signature they would fill a screen."""
    if isinstance(obj, type) and _by_name(obj):
        return "(**fields)", None
    return _shorter(signature), _shorter(returns)


def _by_name(kind: type) -> bool:
    parameters = inspect.signature(kind).parameters.values()
    return len(parameters) > 1 and all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)


def _shorter(annotation: str | None) -> str | None:
    for long, short in _SHORTER.items():
        annotation = annotation and annotation.replace(long, short)
    return annotation


def _skip(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Which fields came later, and how pydantic checks them, is nothing to a reader."""
    return True if name in {"added", "model_config"} else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to autodoc."""
    # Without pydantic's discriminator, which says nothing to a reader.
    Claim.__annotations__["probe"] = get_args(Probe)[0] | None
    app.connect("autodoc-process-docstring", _rewrite)
    app.connect("autodoc-process-signature", _sign)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}

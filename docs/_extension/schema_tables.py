"""Records as tables of their fields, made from their JSON Schema."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from spikecheck.report import json_file

Schema = Mapping[str, Any]
_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


class Row(NamedTuple):
    """One field."""

    name: str
    kind: str
    meaning: str


def rows(schema: Schema) -> Iterator[Row]:
    """A record's fields in the schema's order."""
    for name, field in schema.get("properties", {}).items():
        default = f"default {json.dumps(field['default'])}" if _told(field) else ""
        meaning = field.get("description", "")
        yield Row(name, kind(field), "; ".join(part for part in (meaning, default) if part))


def kind(field: Schema) -> str:
    """A field's type in words, with its range.

    >>> kind({"anyOf": [{"type": "number", "exclusiveMinimum": 0.0}, {"type": "null"}]})
    'number > 0, or null'
    """
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    choices = field.get("anyOf") or field.get("oneOf")
    if choices:
        return ", or ".join(dict.fromkeys(kind(choice) for choice in choices))
    if "const" in field or "enum" in field:
        return " or ".join(json.dumps(value) for value in field.get("enum", [field.get("const")]))
    limits = (f"{sign} {field[name]:,.10g}" for name, sign in _LIMITS.items() if name in field)
    return f"{_container(field)} {' and '.join(limits)}".rstrip()


def _container(field: Schema) -> str:
    """A list's and an object's type with that of its values; any other type as it is."""
    inner = field.get("items") or field.get("additionalProperties")
    named = str(field.get("type", "anything"))
    return f"{named} of {kind(inner)}" if inner else named


def _told(field: Schema) -> bool:
    """Whether a field has a default that is worth a reader's time: a constant says it already."""
    return "default" in field and "const" not in field


def page(schema: Schema) -> str:
    """The whole schema as Markdown: the report first, then what it is made of, each under its name."""
    parts = {"Report": schema, **{name: schema["$defs"][name] for name in _met(schema)}}
    return "\n\n".join(_section(name, part, parts) for name, part in parts.items())


def _met(schema: Schema) -> list[str]:
    """Names of the parts in the order in which a reader meets them."""
    names: list[str] = []
    parts = [schema["properties"]]
    while parts:
        found = dict.fromkeys(re.findall(r"#/\$defs/(\w+)", json.dumps(parts.pop(0))))
        new = [name for name in found if name not in names]
        names += new
        parts += [schema["$defs"][name] for name in new]
    return names


def _section(name: str, part: Schema, parts: Mapping[str, Schema]) -> str:
    said = [f"## {name}", part.get("description", "").partition("\n\n")[0]]
    if "enum" in part:
        said.append(kind(part))
    else:
        lines = (f"| `{row.name}` | {_linked(row.kind, parts)} | {_cell(row.meaning)} |" for row in rows(part))
        said.append("\n".join(["| field | type | meaning |", "|---|---|---|", *lines]))
    return "\n\n".join(said)


def _linked(text: str, parts: Mapping[str, Schema]) -> str:
    """A type whose records' names lead to their tables."""
    return " ".join(
        f"[{word.rstrip(',')}](#{word.rstrip(',').lower()}){word[len(word.rstrip(',')) :]}"
        if word.rstrip(",") in parts
        else _cell(word)
        for word in text.split()
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("^", "\\^")


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == "reference/report":
        source[0] += "\n" + page(json_file.schema())


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the page on the report."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}

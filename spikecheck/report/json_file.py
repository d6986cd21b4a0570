"""Reads and writes reports, maps, scorecards and baselines as JSON. Every other format can be made from it."""

import json
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from pydantic import ValidationError

from spikecheck.core.errors import BaselineError, SettingError, UsageError
from spikecheck.core.gzipped import compressed, restored
from spikecheck.core.scope import ScopeMap
from spikecheck.core.scorecard import Baseline, Scorecard
from spikecheck.core.verdict import Report
from spikecheck.core.why import Answer
from spikecheck.report import atomic_write

Document = TypeVar("Document", Report, ScopeMap, Scorecard, Baseline, Answer)

_START = 4_096
"""Bytes from a file's start that tell a baseline: its schema is its first entry."""
Written = Report | ScopeMap | Scorecard | Baseline | Answer


def text(document: Written) -> str:
    """The document as JSON, ending in a newline."""
    return document.model_dump_json(by_alias=True, indent=1) + "\n"


def check(path: Path) -> None:
    """Check before a long training that --json can be written.

    Raises:
        UsageError: the file cannot be written.
    """
    atomic_write.check(path, "--json")


def write(document: Written, path: Path) -> None:
    """Write the document whole or not at all, compressed where the name ends in .gz. Devices and pipes are written directly.

    Raises:
        UsageError: the path cannot be written.
    """
    atomic_write.write(compressed(text(document).encode(), path), path, "--json")


def read(path: Path) -> Report:
    """Read a report from a file.

    Raises:
        UsageError: the file is missing, or is not a report of this schema.
    """
    return _read(path, Report)


def read_map(path: Path) -> ScopeMap:
    """Read a map from a file.

    Raises:
        UsageError: the file is missing, or is not a map of this schema.
    """
    return _read(path, ScopeMap)


def read_scorecard(path: Path) -> Scorecard:
    """Read a gate's scorecard from a file.

    Raises:
        UsageError: the file is missing, or is not a scorecard of this schema.
    """
    return _read(path, Scorecard)


def read_why(path: Path) -> Answer:
    """Read an answer of `spikecheck diagnose --workload` from a file.

    Raises:
        UsageError: the file is missing, or is not an answer of this schema.
    """
    return _read(path, Answer)


def read_baseline(path: Path) -> Baseline:
    """Read a gate's baseline from a file.

    Raises:
        BaselineError: the file is missing, or is not a baseline of this schema.
    """
    remedy = f"write one: spikecheck gate --update-baseline --baseline {quote(str(path))} --reason TEXT"
    if not path.exists():
        raise BaselineError(f"{path}: there is no such baseline; {remedy}")
    other = "name a file that --update-baseline has written"
    try:
        return _read(path, Baseline, remedy if may_be_replaced(path) else other)
    except UsageError as error:
        raise BaselineError(str(error)) from error


def may_be_replaced(path: Path) -> bool:
    """Whether a baseline may be written there: nothing is there, or an empty file, or a baseline, even a damaged one."""
    if not path.exists():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_START).lstrip()
    return not start or (start.startswith(b"{") and b"spikecheck/baseline@" in start)


def schema() -> dict[str, Any]:
    """The JSON Schema of reports. `schema.json` in this folder is a copy."""
    return Report.model_json_schema(by_alias=True, mode="serialization")


def schema_text() -> str:
    """The text of `schema.json`."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


def why_schema_text() -> str:
    """The JSON Schema of answers of `spikecheck diagnose --workload`, the text of `why.schema.json` in this folder."""
    return json.dumps(Answer.model_json_schema(by_alias=True, mode="serialization"), indent=1, sort_keys=True) + "\n"


def _read(path: Path, kind: type[Document], remedy: str = "give a file that --json has written") -> Document:
    schema = kind.model_fields["schema_"].default
    try:
        return kind.model_validate_json(restored(path.read_bytes(), path).decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; {remedy}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not a text file, so not a {schema}; {remedy}") from error
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise UsageError(f"{path}: is no {schema}: {reason}; {remedy}") from error
    except SettingError as error:
        raise UsageError(f"{path}: is no {schema}: {error}; {remedy}") from error

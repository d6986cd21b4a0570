"""Reports as JSON: the form from which every other one can be made again."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from spikecheck.core.errors import SettingError, UsageError
from spikecheck.core.verdict import Report


def text(report: Report) -> str:
    """The report as JSON, ending in a newline."""
    return report.model_dump_json(by_alias=True, indent=1) + "\n"


def write(report: Report, path: Path) -> None:
    """Write the report whole or not at all.

    Raises:
        UsageError: when the path can't be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text(report))
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"--json {path}: {error.strerror}; give a file in a folder that can be written") from error


def read(path: Path) -> Report:
    """A report that was written before.

    Raises:
        UsageError: when the file is missing, or is no report of this schema.
    """
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    except SettingError as error:
        raise UsageError(f"{path}: is no spikecheck/report@1: {error}") from error


def schema() -> dict[str, Any]:
    """The JSON Schema that every report fits; `schema.json` beside this file holds it."""
    return Report.model_json_schema(by_alias=True, mode="serialization")


def schema_text() -> str:
    """The schema as it is shipped."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"

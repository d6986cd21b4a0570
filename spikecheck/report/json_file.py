"""Reports as JSON: the form from which every other one can be made again."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spikecheck.core.errors import SettingError, UsageError
from spikecheck.core.verdict import Report

_REMEDY = "give a file in a folder that exists and can be written"


def text(report: Report) -> str:
    """The report as JSON, ending in a newline."""
    return report.model_dump_json(by_alias=True, indent=1) + "\n"


def check(path: Path) -> None:
    """Refuse before hours of training what could not be written after them.

    Raises:
        UsageError: when nothing can be written there.
    """
    place = path if _is_stream(path) else path.absolute().parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise UsageError(f"--json {path}: cannot be written; {_REMEDY}")


def write(report: Report, path: Path) -> None:
    """Write the report whole or not at all; a device or a pipe is written to as it is.

    Raises:
        UsageError: when the path can't be written.
    """
    try:
        if _is_stream(path):
            path.write_text(text(report), encoding="utf-8")
        else:
            _replace(path.resolve(), text(report))
    except OSError as error:
        raise UsageError(f"--json {path}: cannot be written: {error.strerror}; {_REMEDY}") from error


def read(path: Path) -> Report:
    """A report that was written before.

    Raises:
        UsageError: when the file is missing, or is no report of this schema.
    """
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; give a file that --json has written") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no text, so no spikecheck/report@1") from error
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise UsageError(f"{path}: is no spikecheck/report@1: {reason}") from error
    except SettingError as error:
        raise UsageError(f"{path}: is no spikecheck/report@1: {error}") from error


def schema() -> dict[str, Any]:
    """The JSON Schema that every report fits; `schema.json` beside this file holds it."""
    return Report.model_json_schema(by_alias=True, mode="serialization")


def schema_text() -> str:
    """The schema as it is shipped."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


def _is_stream(path: Path) -> bool:
    """Whether something is there that must not be replaced by a file: /dev/null, a pipe of the shell."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, content: str) -> None:
    """Put the whole content under the name in one step, readable by whom the user's umask lets read."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

"""Merges the reports of `verify --shard I/N` into one, and selects claims of a report."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from spikecheck.core.errors import BaselineError, UnknownName
from spikecheck.core.verdict import Report, exit_code


def merged(reports: Mapping[Path, Report], command: str, *, strict: bool) -> Report:
    """Merge the parts of one verification. Claims are sorted by id.

    Args:
        reports: the parts by file.
        command: the command line that the merged report records.
        strict: whether an edge counts as a failure.

    Raises:
        BaselineError: the files are not all parts of one verification, each given once.
    """
    (first_file, first), *others = reports.items()
    for file, report in others:
        for name in ("profile", "seed", "environment"):
            if getattr(report, name) != getattr(first, name):
                raise BaselineError(
                    f"{file}: has {name} {getattr(report, name)}, {first_file} has {getattr(first, name)}; make both alike"
                )
    _check_parts(reports)
    _check_claims(reports)
    verdicts = sorted((verdict for report in reports.values() for verdict in report.claims), key=lambda v: v.id)
    whole = first.model_copy(
        update={
            "command": command,
            "shard": "",
            "complete": all(report.complete for report in reports.values()),
            "stored": all(report.stored for report in reports.values()),
            "claims": tuple(verdicts),
            "unreadable": {f: why for report in reports.values() for f, why in report.unreadable.items()},
            "left_out": {c: why for report in reports.values() for c, why in report.left_out.items()},
        }
    )
    return whole.model_copy(update={"passed": exit_code(whole, strict=strict) == 0})


def check_once(files: Sequence[Path]) -> None:
    """Check that no file is named twice.

    Raises:
        BaselineError: one is.
    """
    for place, file in enumerate(files):
        if file in files[:place]:
            raise BaselineError(f"{file}: is given twice; give every part once")


def of_claims(report: Report, patterns: Sequence[str]) -> Report:
    """The report with only the claims that match shell patterns; the whole report without patterns.

    Raises:
        UnknownName: a pattern matches none of the report's claims.
    """
    if not patterns:
        return report
    names = [verdict.id for verdict in report.claims]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UnknownName("claim of this report", pattern, names)
    chosen = tuple(v for v in report.claims if any(fnmatchcase(v.id, pattern) for pattern in patterns))
    some = report.model_copy(update={"claims": chosen})
    return some.model_copy(update={"passed": exit_code(some) == 0})


def _check_claims(reports: Mapping[Path, Report]) -> None:
    """Refuse a claim in two parts: the parts then come from different selections, and other claims may be missing."""
    file_of: dict[str, Path] = {}
    for file, report in reports.items():
        for verdict in report.claims:
            if verdict.id in file_of:
                raise BaselineError(
                    f"{file}: has {verdict.id}, as {file_of[verdict.id]} has; make all parts with the same --claim options"
                )
            file_of[verdict.id] = file


def _check_parts(reports: Mapping[Path, Report]) -> None:
    """Refuse repeated and missing parts: a missing claim could not fail."""
    file_of: dict[str, Path] = {}
    for file, report in reports.items():
        if not report.shard:
            raise BaselineError(f"{file}: is a whole report and no part; merge what verify --shard I/N --json wrote")
        if report.shard in file_of:
            raise BaselineError(f"{file}: is part {report.shard}, as {file_of[report.shard]} is; give every part once")
        file_of[report.shard] = file
    totals = {int(shard.partition("/")[2]) for shard in file_of}
    if len(totals) > 1:
        raise BaselineError(f"parts {', '.join(sorted(file_of))}: are of different divisions; give those of one")
    (total,) = totals
    missing = [f"{part}/{total}" for part in range(1, total + 1) if f"{part}/{total}" not in file_of]
    if missing:
        raise BaselineError(f"parts {', '.join(missing)}: are missing; give all {total} files")

"""The forms of a report that a command can be asked for, and how they are told: files first, then the person."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import several
from spikecheck.core.verdict import Report
from spikecheck.report import atomic_write, json_file
from spikecheck.report.dashboards import ctrf, junit
from spikecheck.report.terminal import render

Files = Mapping[str, str | None]
"""Where each form goes, by its option's name; None where it was not asked for."""

json_option = click.option("--json", metavar="FILE", help="Write the report as JSON; - for standard output.")
_rendered = (
    click.option("--html", metavar="FILE.html", help="Write the report as one web page that needs nothing else."),
    click.option("--markdown", metavar="FILE.md", help="Write the report as Markdown, with figures."),
    click.option("--junit", metavar="FILE.xml", help="Write the verdicts as JUnit XML."),
    click.option("--ctrf", metavar="FILE.json", help="Write the verdicts in the Common Test Report Format."),
)
rendered_options = several(*_rendered)
report_options = several(json_option, *_rendered)


def check(files: Files) -> None:
    """Refuse before hours of training what could not be written after them.

    Raises:
        UsageError: when something cannot be written.
    """
    for form, file in files.items():
        if file is not None and (form, file) != ("json", "-"):
            atomic_write.check(Path(file), f"--{form}")


def write_reports(report: Report, files: Files, *, quiet: bool, strict: bool) -> None:
    """Write the files, and show the report unless `quiet`; on standard error where standard output is taken by the JSON.

    Raises:
        UsageError: when a file cannot be written; whoever reads the screen has the report nevertheless.
    """
    taken = files.get("json") == "-"
    try:
        for form, file in files.items():
            if file is not None and (form, file) != ("json", "-"):
                _WRITERS[form](report, Path(file))
    finally:
        with tolerate_closed_pipe():
            if taken:
                click.echo(json_file.text(report).encode(), nl=False)
            if not quiet:
                render(report, console(stderr=taken), strict=strict)


def _json(report: Report, path: Path) -> None:
    json_file.write(report, path)


def _markdown(report: Report, path: Path) -> None:
    from spikecheck.report import markdown_file  # brings matplotlib, a second

    markdown_file.write(report, path)


def _html(report: Report, path: Path) -> None:
    from spikecheck.report.html import html  # as above

    atomic_write.write(html(report).encode(), path, "--html")


def _junit(report: Report, path: Path) -> None:
    atomic_write.write(junit(report).encode(), path, "--junit")


def _ctrf(report: Report, path: Path) -> None:
    atomic_write.write(ctrf(report).encode(), path, "--ctrf")


_WRITERS: Mapping[str, Callable[[Report, Path], Any]] = {
    "json": _json,
    "html": _html,
    "markdown": _markdown,
    "junit": _junit,
    "ctrf": _ctrf,
}

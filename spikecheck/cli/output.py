"""The formats in which a command can write a report. Files are written first, then the terminal."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import several
from spikecheck.core.errors import UsageError
from spikecheck.core.verdict import Report
from spikecheck.report import atomic_write, json_file
from spikecheck.report.dashboards import ctrf, junit
from spikecheck.report.terminal import render

Files = Mapping[str, str | None]
"""The file of each format by its option's name; None if it is not requested."""

json_option = click.option("--json", metavar="FILE", help="Write the report as JSON; - for standard output.")
_rendered = (
    click.option("--html", metavar="FILE.html", help="Write the report as one self-contained web page."),
    click.option("--markdown", metavar="FILE.md", help="Write the report as Markdown, with figures."),
    click.option("--junit", metavar="FILE.xml", help="Write the verdicts as JUnit XML."),
    click.option("--ctrf", metavar="FILE.json", help="Write the verdicts in the Common Test Report Format."),
)
rendered_options = several(*_rendered)
report_options = several(json_option, *_rendered)


def check(files: Files) -> None:
    """Check before training that every requested file can be written.

    Raises:
        UsageError: a file cannot be written, or two formats would be written to the same file.
    """
    _check_apart(files)
    for form, file in files.items():
        if file is not None and (form, file) != ("json", "-"):
            atomic_write.check(Path(file), f"--{form}")


def check_none(files: Files) -> None:
    """Check that no file is requested of a plan, of which none is written.

    Raises:
        UsageError: one is.
    """
    for form, file in files.items():
        if file is not None:
            raise UsageError(f"--{form} {file}: --plan trains nothing and writes no report; leave one of them out")


def _check_apart(files: Files) -> None:
    """Check that every format has a file of its own: the last to be written would replace the others."""
    taken: dict[Path, str] = {}
    for form, file in files.items():
        if file is None or (form, file) == ("json", "-") or not Path(file).parent.is_dir():
            continue
        path = Path(file).resolve()
        if path in taken and (path.is_file() or not path.exists()):
            raise UsageError(f"--{form} {file}: is the file of --{taken[path]} too; give each its own")
        taken[path] = form


def write_reports(report: Report, files: Files, *, quiet: bool, strict: bool) -> None:
    """Write the files, and print the report unless `quiet`: to standard error if standard output has the JSON.

    Raises:
        UsageError: a file cannot be written; the report is printed nevertheless. Or two formats have one file.
    """
    _check_apart(files)
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
    from spikecheck.report import markdown_file  # imports matplotlib, which takes a second

    markdown_file.write(report, path)


def _html(report: Report, path: Path) -> None:
    from spikecheck.report.html import html  # imports matplotlib too

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

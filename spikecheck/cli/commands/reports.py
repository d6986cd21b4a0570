"""Commands about files that earlier ones wrote: nothing is trained, and none of them needs torch."""

from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from spikecheck.cli import output
from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import claims_options
from spikecheck.cli.output import rendered_options, report_options
from spikecheck.core.verdict import exit_code
from spikecheck.report import json_file
from spikecheck.report.comparison import render_comparison
from spikecheck.report.merged import merged, of_claims
from spikecheck.report.rechecked import render_rechecked
from spikecheck.session.command_line import command_line


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="REPORT.json")
@claims_options
@rendered_options
@click.option("--quiet", is_flag=True, help="Nothing on the screen; only the files asked for.")
@click.option("--strict", is_flag=True, help="A tendency that stops holding somewhere counts as failed.")
def report(path: Path, patterns: Sequence[str], quiet: bool, strict: bool, **files: str | None) -> int:
    """A report that was written before, or some of its claims, shown again or in other forms. Exits as verify did."""
    output.check(files)
    written = of_claims(json_file.read(path), patterns)
    output.write_reports(written, files, quiet=quiet, strict=strict)
    return exit_code(written, strict=strict)


@click.command()
@click.argument("parts", type=click.Path(path_type=Path), metavar="PART.json", nargs=-1, required=True)
@report_options
@click.option("--quiet", is_flag=True, help="No report; only the exit code, and the files asked for.")
@click.option("--strict", is_flag=True, help="A tendency that stops holding somewhere counts as failed.")
def merge(parts: Sequence[Path], quiet: bool, strict: bool, **files: str | None) -> int:
    """One report of the parts that `verify --shard I/N --json FILE` wrote.

    Exits as verify does, and 4 where the files are not all parts of one verification.
    """
    whole = merged({part: json_file.read(part) for part in parts}, command_line(), strict=strict)
    output.write_reports(whole, files, quiet=quiet, strict=strict)
    return exit_code(whole, strict=strict)


@click.command()
@click.argument("before", type=click.Path(path_type=Path), metavar="A.json")
@click.argument("after", type=click.Path(path_type=Path), metavar="B.json")
def compare(before: Path, after: Path) -> int:
    """What changed between two reports of `verify`, or two scorecards of `gate`.

    Exits 0 if nothing that passed has stopped passing, 1 if something has, 4 when the two cannot be compared.
    """
    from spikecheck.gate.report_diff import compared

    found = compared(before, after)
    with tolerate_closed_pipe():
        render_comparison(found, console())
    return int(found.code)


@click.command()
@click.argument("file", metavar="REPORT.json", type=click.Path(path_type=Path))
def recheck(file: Path) -> int:
    """Derive a report's verdicts anew from its counts; nothing is trained. Exits 0 if they agree, else 1."""
    written = json_file.read(file)
    from spikecheck.harness.recheck import recheck as judged_again  # brings scipy

    found = judged_again(written)
    with tolerate_closed_pipe():
        render_rechecked(written, found, console())
    return 1 if found else 0

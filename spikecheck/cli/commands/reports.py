"""Commands that read earlier reports: they train nothing and do not import torch."""

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
from spikecheck.report.merged import check_once, merged, of_claims
from spikecheck.report.rechecked import render_rechecked
from spikecheck.session.command_line import command_line


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="REPORT.json")
@claims_options
@rendered_options
@click.option("--quiet", is_flag=True, help="Print nothing; only write the files.")
@click.option("--strict", is_flag=True, help="Fail a tendency with a confirmed counterexample too.")
def report(path: Path, patterns: Sequence[str], quiet: bool, strict: bool, **files: str | None) -> int:
    """Show an earlier report, or some of its claims, or convert it to other formats.

    Exits as verify did.
    """
    output.check(files)
    written = of_claims(json_file.read(path), patterns)
    output.write_reports(written, files, quiet=quiet, strict=strict)
    return exit_code(written, strict=strict)


@click.command()
@click.argument("parts", type=click.Path(path_type=Path), metavar="PART.json", nargs=-1, required=True)
@report_options
@click.option("--quiet", is_flag=True, help="Print no report; only write the files and set the exit code.")
@click.option("--strict", is_flag=True, help="Fail a tendency with a confirmed counterexample too.")
def merge(parts: Sequence[Path], quiet: bool, strict: bool, **files: str | None) -> int:
    """Merge the parts written by `verify --shard I/N --json FILE` into one report.

    Exits as verify does, or 4 if the files are not all the parts of one verification.
    """
    check_once(parts)
    whole = merged({part: json_file.read(part) for part in parts}, command_line(), strict=strict)
    output.write_reports(whole, files, quiet=quiet, strict=strict)
    return exit_code(whole, strict=strict)


@click.command()
@click.argument("before", type=click.Path(path_type=Path), metavar="A.json")
@click.argument("after", type=click.Path(path_type=Path), metavar="B.json")
def compare(before: Path, after: Path) -> int:
    """Show what changed between two reports of `verify`, or two scorecards of `gate`.

    Exits 0 if everything that passed still passes, 1 if something does not, 4 if the two cannot be compared.
    """
    from spikecheck.gate.report_diff import compared

    comparison = compared(before, after)
    with tolerate_closed_pipe():
        render_comparison(comparison, console())
    return int(comparison.code)


@click.command()
@click.argument("file", metavar="REPORT.json", type=click.Path(path_type=Path))
def recheck(file: Path) -> int:
    """Recompute a report's verdicts from its counts, without training.

    Exits 0 if they agree, else 1.
    """
    written = json_file.read(file)
    from spikecheck.harness.recheck import recheck as judged_again  # imports scipy

    differences = judged_again(written)
    with tolerate_closed_pipe():
        render_rechecked(written, differences, console())
    return 1 if differences else 0

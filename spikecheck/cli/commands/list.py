"""`spikecheck list`: list all claims."""

from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from spikecheck.cli import context
from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import paths_option
from spikecheck.core.errors import NothingSelected
from spikecheck.report.explain import render_list


@click.command("list")
@paths_option
def list_command(claims_paths: Sequence[Path]) -> None:
    """List all claims: id, kind and statement. Claims about workloads only come last."""
    discovered = context.all_claims(claims_paths)
    if not discovered.claims:
        raise NothingSelected("no claim was discovered; give a folder of claim files with --claims-path")
    with tolerate_closed_pipe():
        render_list([(claim.id, claim.kind, claim.says) for claim in discovered.claims.values()], console())
        if discovered.of_workloads:
            console().print("\nOf workloads only, with verify --workload:", style="dim", highlight=False)
            render_list([(claim.id, claim.kind, claim.says) for claim in discovered.of_workloads.values()], console())

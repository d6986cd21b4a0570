"""`spikecheck explain`: describe one claim in full."""

from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from spikecheck.cli import context
from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import claim_option, paths_option
from spikecheck.report.explain import render_explanation


@click.command()
@claim_option(required=True)
@paths_option
def explain(claim_id: str, claims_paths: Sequence[Path]) -> None:
    """Show what a claim states, its domain, its rule and its controls."""
    with tolerate_closed_pipe():
        render_explanation(context.any_claim(claim_id, claims_paths).explain(), console())

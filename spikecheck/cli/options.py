"""Options that several commands share, each with one name and one help text."""

import re
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import rich_click as click

from spikecheck.cli.params import seconds
from spikecheck.core.errors import UsageError
from spikecheck.session.lab_options import LabOptions


def several(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Combine options into one decorator; help shows them in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_store_options = several(
    click.option("--store", metavar="DIR|URL", help="Where runs are stored (default: the user's cache folder)."),
    click.option("--no-store", is_flag=True, help="Neither read nor write stored runs."),
)
_device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to train.",
)
_budget_option = click.option(
    "--budget", metavar="TIME", help="Stop after this time, such as 60s or 5m; finished runs are kept."
)


class _Where(click.ParamType):  # type: ignore[type-arg]
    """The place of training: local, processes, or a cluster's address."""

    name = "where"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in ("local", "processes") and not _ADDRESS.fullmatch(value):
            self.fail(f"{value!r}: give local, processes, dask://HOST:PORT or slurm://PARTITION.", param, ctx)
        return str(value)


_ADDRESS = re.compile(r"dask://[^\s/]+:\d+|slurm://[\w.-]*|submitit://local")

_executor_option = click.option(
    "--executor",
    type=_Where(),
    metavar="WHERE",
    default="processes",
    show_default=True,
    help="local: in this process; processes: one worker for each core; dask://HOST:PORT; slurm://PARTITION.",
)


def lab_options(*, budget: bool) -> Callable[[Any], Any]:
    """Add the options for where and how to train; the command receives them as `lab_options`."""

    def decorate(command: Any) -> Any:
        @several(*([_budget_option] if budget else []), _device_option, _executor_option, _store_options)
        @wraps(command)
        def merged(*args: Any, device: Any, executor: str, store: str | None, no_store: bool, **others: Any) -> Any:
            limit = others.pop("budget", None)
            deadline = None if limit is None else time.monotonic() + seconds(limit, "--budget")
            return command(*args, lab_options=LabOptions(store, no_store, device, executor, deadline), **others)

        return merged

    return decorate


MOST_SEEDS, MOST_STEPS = 1_000_000, 100_000_000
"""More is a typing error: no machine trains it, and the counts of arrays would overflow."""
LARGEST_SEED = 2**63 - 1
"""What torch's generators take."""


class WholeNumber(click.IntRange):
    """A whole number in a range; click would refuse 1.5 as "not a valid integer range"."""

    name = "whole number"


SEED = WholeNumber(min=0, max=LARGEST_SEED)


def seeds_from(least: int) -> WholeNumber:
    """A number of trainings, at least this many."""
    return WholeNumber(min=least, max=MOST_SEEDS)


def steps_from(least: int) -> WholeNumber:
    """A number of steps, at least this many."""
    return WholeNumber(min=least, max=MOST_STEPS)


seed_option = click.option("--seed", type=SEED, default=0, show_default=True, help="Root of all seeds.")
optimizer_options = several(
    click.option(
        "--optimizer",
        metavar="MODULE:CLASS",
        help="Verify with this optimizer: MODULE:CLASS or a built-in name.",
    ),
    click.option(
        "--set", "numbers", multiple=True, metavar="NAME=VALUE", help="Its arguments: lr, betas, … Repeatable."
    ),
)
paths_option = click.option(
    "--claims-path",
    "claims_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Another folder of claim files. Repeatable.",
)


def claims_options(command: Any) -> Any:
    """Accept any number of claims, as arguments or by --claim; the command receives both as `patterns`."""

    @click.argument("named", nargs=-1, metavar="[CLAIM]…")
    @click.option(
        "--claim",
        "patterns",
        multiple=True,
        metavar="CLAIM",
        help="A claim, or a pattern such as 'adam-*'; same as the argument. Repeatable; default: all.",
    )
    @wraps(command)
    def merged(*args: Any, named: tuple[str, ...], patterns: tuple[str, ...], **options: Any) -> Any:
        return command(*args, patterns=(*named, *patterns), **options)

    return merged


def claim_option(*, required: bool) -> Callable[[Any], Any]:
    """Accept one claim, as an argument or by --claim; the command receives it as `claim_id`."""

    def decorate(command: Any) -> Any:
        @click.argument("named", required=False, metavar="CLAIM" if required else "[CLAIM]")
        @click.option("--claim", "claim_id", metavar="CLAIM", help="A claim; same as the argument.")
        @wraps(command)
        def merged(*args: Any, named: str | None, claim_id: str | None, **options: Any) -> Any:
            if named is not None and claim_id not in (None, named):
                raise UsageError(f"--claim {claim_id}: the claim {named} is given as well; give one")
            chosen = named or claim_id
            if chosen is None and required:
                raise UsageError("no claim is given; add CLAIM or --claim CLAIM (`spikecheck list` shows all)")
            return command(*args, claim_id=chosen, **options)

        return merged

    return decorate


def given_options() -> dict[str, str]:
    """The running command's parameters that its command line gives: by name, as the user wrote them."""
    command = click.get_current_context()
    assert command is not None  # click raises outside a command; rich-click types it otherwise
    return {
        part.name: part.opts[0] if isinstance(part, click.Option) else part.human_readable_name
        for part in command.command.params
        if (source := command.get_parameter_source(part.name)) is not None and source.name == "COMMANDLINE"
    }

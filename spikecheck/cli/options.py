"""Options that several commands share, under one name and with one help each."""

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
    """Options as one decorator, in this order."""

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
    "--budget", metavar="TIME", help="Stop after so long, such as 60s or 5m; what was trained is kept."
)


class _Where(click.ParamType):  # type: ignore[type-arg]
    """Where to train: of this machine, or a cluster's address."""

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
    help="local: in this process; processes: one worker a core; dask://HOST:PORT; slurm://PARTITION.",
)


def lab_options(*, budget: bool) -> Callable[[Any], Any]:
    """Where and how to train: the command is given it as `lab_options`."""

    def decorate(command: Any) -> Any:
        @several(*([_budget_option] if budget else []), _device_option, _executor_option, _store_options)
        @wraps(command)
        def merged(*args: Any, device: Any, executor: str, store: str | None, no_store: bool, **others: Any) -> Any:
            limit = others.pop("budget", None)
            deadline = None if limit is None else time.monotonic() + seconds(limit, "--budget")
            return command(*args, lab_options=LabOptions(store, no_store, device, executor, deadline), **others)

        return merged

    return decorate


seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Root of all seeds."
)
optimizer_options = several(
    click.option(
        "--optimizer",
        metavar="MODULE:CLASS",
        help="Ask the claims about this optimizer, or spikecheck's of that name.",
    ),
    click.option(
        "--set", "numbers", multiple=True, metavar="NAME=VALUE", help="lr, betas, …: its arguments. Repeatable."
    ),
)
paths_option = click.option(
    "--claims-path",
    "claims_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A further folder of claim files. Repeatable.",
)


def claims_options(command: Any) -> Any:
    """Any number of claims, as arguments or by --claim: the command is given both as `patterns`."""

    @click.argument("named", nargs=-1, metavar="[CLAIM]…")
    @click.option(
        "--claim",
        "patterns",
        multiple=True,
        metavar="CLAIM",
        help="The same as the argument: a claim, or a pattern such as 'adam-*'. Repeatable; default: all.",
    )
    @wraps(command)
    def merged(*args: Any, named: tuple[str, ...], patterns: tuple[str, ...], **options: Any) -> Any:
        return command(*args, patterns=(*named, *patterns), **options)

    return merged


def claim_option(*, required: bool) -> Callable[[Any], Any]:
    """One claim, as an argument or by --claim: the command is given it as `claim_id`."""

    def decorate(command: Any) -> Any:
        @click.argument("named", required=False, metavar="CLAIM" if required else "[CLAIM]")
        @click.option("--claim", "claim_id", metavar="CLAIM", help="The same as the argument.")
        @wraps(command)
        def merged(*args: Any, named: str | None, claim_id: str | None, **options: Any) -> Any:
            if named is not None and claim_id not in (None, named):
                raise UsageError(f"--claim {claim_id}: the claim {named} is given as well; give one")
            found = named or claim_id
            if found is None and required:
                raise UsageError("no claim is given; add CLAIM or --claim CLAIM (`spikecheck list` shows all)")
            return command(*args, claim_id=found, **options)

        return merged

    return decorate

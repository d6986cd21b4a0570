"""Options that several commands share, under one name and with one help each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click


def _several(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


store_options = _several(
    click.option("--store", type=click.Path(path_type=Path), help="Folder of stored runs (default: the user's cache)."),
    click.option("--no-store", is_flag=True, help="Neither read nor write stored runs."),
)
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to train.",
)
executor_option = click.option(
    "--executor",
    type=click.Choice(["local", "processes"]),
    default="processes",
    show_default=True,
    help="Train in this process, or in one worker a core.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Root of all seeds."
)
paths_option = click.option(
    "--claims-path",
    "claims_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A further folder of claim files. Repeatable.",
)

"""`spikecheck store`: show and prune stored runs. Nothing here imports torch."""

import rich_click as click

from spikecheck.cli.console import tell
from spikecheck.cli.params import seconds, size
from spikecheck.core.errors import UsageError
from spikecheck.lab.store import Store
from spikecheck.lab.store_address import opened


@click.group()
def store() -> None:
    """Show or prune the stored runs."""


@store.command("info")
@click.option("--store", "folder", metavar="DIR", help="Folder of stored runs.")
def store_info(folder: str | None) -> None:
    """Show the folder, number and size of stored runs."""
    info = _opened(folder).info()
    tell(str(info.folder), f"{info.entries:,} runs, {_mebibytes(info.size)}, {info.corrupt} damaged files set aside")


@store.command("prune")
@click.option("--store", "folder", metavar="DIR", help="Folder of stored runs.")
@click.option("--keep", metavar="SIZE", default="1GiB", show_default=True, help="Keep at most this much.")
@click.option("--older-than", metavar="TIME", help="Also remove runs not used for this long, such as 30d.")
def store_prune(folder: str | None, keep: str, older_than: str | None) -> None:
    """Remove damaged files, leftovers of interrupted writes, and the least recently used runs."""
    age = None if older_than is None else seconds(older_than, "--older-than")
    pruned = _opened(folder).prune(keep_bytes=size(keep, "--keep"), older_than=age)
    tell(f"removed {pruned.removed:,} runs ({_mebibytes(pruned.freed)}); {_mebibytes(pruned.left)} left")


def _opened(place: str | None) -> Store:
    store = opened(place)
    if not isinstance(store, Store):
        raise UsageError(
            f"--store {place}: only a folder can be shown and pruned here; use the remote store's own tools"
        )
    return store


def _mebibytes(size_in_bytes: float) -> str:
    return f"{size_in_bytes / 2**20:,.1f} MiB"

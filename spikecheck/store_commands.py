"""`spikecheck store`: what is stored, and less of it. Nothing here needs torch."""

from pathlib import Path

import rich_click as click

from spikecheck.lab.store import Store, default_folder
from spikecheck.quantities import seconds, size
from spikecheck.streams import tell


@click.group()
def store() -> None:
    """The stored runs."""


@store.command("info")
@click.option("--store", "folder", type=click.Path(path_type=Path), help="Folder of stored runs.")
def store_info(folder: Path | None) -> None:
    """What is stored, and where."""
    info = _opened(folder).info()
    tell(str(info.folder), f"{info.entries:,} runs, {_mebibytes(info.size)}, {info.corrupt} damaged files set aside")


@store.command("prune")
@click.option("--store", "folder", type=click.Path(path_type=Path), help="Folder of stored runs.")
@click.option("--keep", metavar="SIZE", default="1GiB", show_default=True, help="Keep at most this much.")
@click.option("--older-than", metavar="TIME", help="Also remove what was not used for so long, such as 30d.")
def store_prune(folder: Path | None, keep: str, older_than: str | None) -> None:
    """Remove damaged files, leftovers, and the least recently used runs."""
    age = None if older_than is None else seconds(older_than, "--older-than")
    pruned = _opened(folder).prune(keep_bytes=size(keep, "--keep"), older_than=age)
    tell(f"removed {pruned.removed:,} runs ({_mebibytes(pruned.freed)}); {_mebibytes(pruned.left)} left")


def _opened(folder: Path | None) -> Store:
    return Store(folder or default_folder())


def _mebibytes(size_in_bytes: float) -> str:
    return f"{size_in_bytes / 2**20:,.1f} MiB"

"""`spikecheck store`: show, check and prune stored runs. Only `audit`, which trains, imports torch."""

from collections import Counter
from pathlib import Path

import rich_click as click

from spikecheck.cli.console import console, print_error, tell
from spikecheck.cli.options import SEED, WholeNumber
from spikecheck.cli.params import seconds, size
from spikecheck.core.errors import UsageError
from spikecheck.lab.store import MARKER, Store
from spikecheck.lab.store_address import opened
from spikecheck.report.counting import counting
from spikecheck.report.phrases import plural
from spikecheck.report.sanitize import inert


@click.group()
def store() -> None:
    """Show, check or prune the stored runs."""


@store.command("info")
@click.option("--store", "folder", metavar="DIR", help="Folder of stored runs.")
def store_info(folder: str | None) -> None:
    """Show the folder, number and size of stored runs."""
    info = _opened(folder).info()
    tell(
        str(info.folder),
        f"{plural(info.entries, 'run')}, {_mebibytes(info.size)}, {plural(info.corrupt, 'damaged file')} set aside",
    )


@store.command("verify")
@click.option("--store", "folder", metavar="DIR", help="Folder of stored runs.")
def store_verify(folder: str | None) -> int:
    """Read every stored run and checkpoint, and check that each is what was written. Nothing is trained.

    Damaged runs are set aside and trained again when they are needed. Exits 0 if all are whole, 1 if one is damaged.
    """
    from spikecheck.lab.store_check import checked

    opened_store = _opened(folder)
    with counting(console(stderr=True)) as progress:
        task = progress.add_task("stored runs", total=len(opened_store.digests()))
        read = checked(opened_store, lambda: progress.advance(task))
    for line in read.damaged:
        print_error(inert(line))
    tell(
        f"{plural(read.records, 'run')} and {plural(read.checkpoints, 'checkpoint')} read; {len(read.damaged):,} damaged"
    )
    return int(bool(read.damaged))


@store.command("audit")
@click.option("--store", "folder", metavar="DIR", help="Folder of stored runs.")
@click.option("--one-in", type=WholeNumber(min=1), default=20, show_default=True, help="Share of the runs: one in N.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Which runs are drawn.")
def store_audit(folder: str | None, one_in: int, seed: int) -> int:
    """Train one stored run in N again, and compare it with what is stored, bit by bit.

    Runs that another version, machine or device has stored are counted and not compared, and so are trainings of workloads.
    Exits 0 if all compared runs are the same, 1 if one differs or is damaged, 3 if none could be compared.
    """
    from spikecheck.lab.laboratory import Laboratory
    from spikecheck.lab.store_audit import audited, sampled

    opened_store = _opened(folder)
    drawn = sampled(opened_store, one_in, seed)
    with counting(console(stderr=True)) as progress:
        task = progress.add_task("trained again", total=len(drawn))
        audits = list(audited(opened_store, drawn, Laboratory(), lambda: progress.advance(task)))
    counts = Counter(audit.result for audit in audits)
    for audit in audits:
        if audit.says:
            print_error(f"{audit.digest[:12]} {audit.result}: {audit.says}")
    tell(
        f"{len(drawn):,} of {len(opened_store.digests()):,} stored runs drawn: {counts['same']:,} the same bit by bit, "
        f"{counts['differs']:,} differ, {counts['damaged']:,} damaged; not compared: {counts['elsewhere']:,} stored "
        f"elsewhere or by another version, {counts['workload']:,} of workloads"
    )
    return 1 if counts["differs"] or counts["damaged"] else 0 if counts["same"] else 3


@store.command("prune")
@click.option("--store", "folder", metavar="DIR", help="Folder of stored runs.")
@click.option("--keep", metavar="SIZE", default="1GiB", show_default=True, help="Keep at most this much.")
@click.option("--older-than", metavar="TIME", help="Also remove runs not used for this long, such as 30d.")
def store_prune(folder: str | None, keep: str, older_than: str | None) -> None:
    """Remove damaged files, leftovers of interrupted writes, and the least recently used runs."""
    age = None if older_than is None else seconds(older_than, "--older-than")
    pruned = _opened(folder).prune(keep_bytes=size(keep, "--keep"), older_than=age)
    tell(f"removed {plural(pruned.removed, 'run')} ({_mebibytes(pruned.freed)}); {_mebibytes(pruned.left)} left")


def _opened(place: str | None) -> Store:
    """The store at an address, or the default one.

    A folder that the user names must be a store already: a misspelt name would make an empty store and find it whole.
    """
    if place is not None and "://" not in place and not _is_store(Path(place)):
        raise UsageError(f"--store {place}: holds no stored runs; name a folder that has a file called {MARKER}")
    store = opened(place)
    if not isinstance(store, Store):
        raise UsageError(
            f"--store {place}: only a folder can be shown and pruned here; use the remote store's own tools"
        )
    return store


def _is_store(folder: Path) -> bool:
    """True for a file as well, which `opened` refuses with its own reason."""
    return (folder / MARKER).is_file() or folder.is_file()


def _mebibytes(size_in_bytes: float) -> str:
    return f"{size_in_bytes / 2**20:,.1f} MiB"

"""Opens the store at a place: a folder, or an address."""

import os
from pathlib import Path

from spikecheck.lab.remote_store import Remote
from spikecheck.lab.store import Store, default_folder

RunStore = Store | Remote


def opened(place: str | Path | None = None) -> RunStore:
    """The store at a place: a folder, or an address such as s3://bucket/spikecheck.

    Without a place, it is $SPIKECHECK_STORE if set, else the user's cache folder.

    Raises:
        StoreError: when the store cannot be used.
    """
    named = place or os.environ.get("SPIKECHECK_STORE")
    if isinstance(named, str) and "://" in named:
        return Remote(named)
    return Store(Path(named) if named else default_folder())

"""Where records are: in a folder, or behind an address."""

import os
from pathlib import Path

from spikecheck.lab.remote_store import Remote
from spikecheck.lab.store import Store, default_folder

RunStore = Store | Remote


def opened(place: str | Path | None = None) -> RunStore:
    """The store at a place: a folder, or an address such as s3://bucket/spikecheck.

    Where no place is given, $SPIKECHECK_STORE or else the user's cache folder.

    Raises:
        StoreError: when it cannot be used.
    """
    named = place or os.environ.get("SPIKECHECK_STORE")
    if isinstance(named, str) and "://" in named:
        return Remote(named)
    return Store(Path(named) if named else default_folder())

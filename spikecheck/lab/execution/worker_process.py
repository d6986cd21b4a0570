"""How a worker process starts and how it ends, whatever it trains."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def safe_path() -> Iterator[None]:
    """A context in which new workers do not search the working directory first.

    Otherwise a user's types.py would replace Python's. The workers receive this process's search path after they have started.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def end_with_parent() -> None:
    """End this worker when its parent dies. Otherwise it would wait for tiles for ever, at 400 MB of memory."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

"""What a terminal shows while torch is imported: seconds before a command can say what it will do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def loading(console: Console, *, quiet: bool = False) -> Iterator[None]:
    """Show a spinner on a terminal while the `with` block imports; elsewhere and with `quiet` show nothing."""
    if quiet or not console.file.isatty() or console.is_dumb_terminal or os.environ.get("CI"):
        yield
        return
    ascii_only = not (console.encoding or "").lower().startswith("utf")
    with console.status("starting: importing torch", spinner="line" if ascii_only else "dots"):
        yield

"""A progress bar for work that consists of a known number of equal parts, in the words of the other displays."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from spikecheck.report.progress import clock_time


class _Left(ProgressColumn):
    """The share that is done, with an estimate of the time left as soon as there is one."""

    def render(self, task: Task) -> Text:
        share = f"{task.percentage:.0f} %"
        left = task.time_remaining
        return Text(share if left is None or task.finished else f"{share}, about {clock_time(left)} left")


def counting(console: Console) -> Progress:
    """A bar that vanishes at the end; on anything but a terminal it shows nothing."""
    columns = (TextColumn("{task.description}"), BarColumn(), _Left())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

"""Writes the Markdown report: the text, and a folder of the claims' figures next to it."""

from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report import atomic_write, scope_figure
from spikecheck.report.claim_figure import drawn
from spikecheck.report.markdown import markdown


def write(report: Report, path: Path) -> None:
    """Write the text to `path` and the figures to the folder named `path` without its suffix.

    Raises:
        UsageError: a file cannot be written, or `path` has no suffix.
    """
    folder = path.with_suffix("")
    if folder == path:
        raise UsageError(f"--markdown {path}: has no suffix, and the figures' folder takes that name; give FILE.md")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"--markdown {path}: {folder} cannot be made: {error.strerror}") from error

    def figure(verdict: Verdict) -> str | None:
        if not verdict.reference.applicable:
            return None
        file = folder / f"{verdict.id}.png"
        atomic_write.write(drawn(verdict), file, "--markdown")
        return f"{folder.name}/{file.name}"

    def map_figure(verdict: Verdict, number: int) -> str:
        file = folder / f"{verdict.id}-map-{number + 1}.png"
        heading = f"{verdict.id}: {verdict.says}"
        atomic_write.write(
            scope_figure.drawn(verdict.scopes[number], verdict.reference.setting, heading), file, "--markdown"
        )
        return f"{folder.name}/{file.name}"

    atomic_write.write(markdown(report, figure, map_figure).encode(), path, "--markdown")

"""Files that a portrait can be drawn into, refused before anything is trained. Without matplotlib, so at once."""

import shutil
from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.report import atomic_write

FIGURES = {".png": "png", ".svg": "svg"}
"""matplotlib's name of each format, by suffix."""
_ANIMATIONS = (".gif", ".mp4")


def check_figure(path: Path) -> None:
    """Refuse before training what could not be drawn after it.

    Raises:
        UsageError: when the suffix is unknown, or nothing can be written there.
    """
    if path.suffix.lower() not in FIGURES:
        raise UsageError(f"--figure {path}: give FILE.png or FILE.svg")
    atomic_write.check(path, "--figure")


def check_animation(path: Path) -> None:
    """Refuse before training what could not be animated after it.

    Raises:
        UsageError: when the suffix is unknown, or nothing can be written there, or ffmpeg is missing.
    """
    if path.suffix.lower() not in _ANIMATIONS:
        raise UsageError(f"--animate {path}: give FILE.gif or FILE.mp4")
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise UsageError(f"--animate {path}: there is no ffmpeg; install it, or give FILE.gif")
    atomic_write.check(path, "--animate")

"""Checks before training that a portrait's files can be written. Does not import matplotlib, which is slow."""

import shutil
from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.report import atomic_write

FIGURES = {".png": "png", ".svg": "svg"}
"""matplotlib's name of each format, by suffix."""
_ANIMATIONS = (".gif", ".mp4")


def check_figure(path: Path) -> None:
    """Check that --figure can be written.

    Raises:
        UsageError: the suffix is neither .png nor .svg, or the file cannot be written.
    """
    if path.suffix.lower() not in FIGURES:
        raise UsageError(f"--figure {path}: give FILE.png or FILE.svg")
    atomic_write.check(path, "--figure")


def check_animation(path: Path) -> None:
    """Check that --animate can be written.

    Raises:
        UsageError: the suffix is neither .gif nor .mp4, the file cannot be written, or .mp4 lacks ffmpeg.
    """
    if path.suffix.lower() not in _ANIMATIONS:
        raise UsageError(f"--animate {path}: give FILE.gif or FILE.mp4")
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise UsageError(f"--animate {path}: there is no ffmpeg; install it, or give FILE.gif")
    atomic_write.check(path, "--animate")

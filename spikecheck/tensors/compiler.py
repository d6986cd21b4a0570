"""The C++ compiler of this machine. It is part of what a compiled run is stored under."""

import os
import shutil
import subprocess
import sysconfig
from functools import lru_cache
from pathlib import Path

from spikecheck.core.errors import UsageError


@lru_cache(maxsize=1)
def compiler() -> str:
    """The C++ compiler that torch calls, with its version; empty without one, or when $SPIKECHECK_COMPILE is 0.

    Raises:
        UsageError: when $SPIKECHECK_COMPILE is 1 and something is missing, or when it is neither 0 nor 1.
    """
    wish = os.environ.get("SPIKECHECK_COMPILE", "")
    if wish not in ("", "0", "1"):
        raise UsageError(f"SPIKECHECK_COMPILE={wish!r}: give 0 to disable compiling, 1 to require it, or leave it out")
    if wish == "0":
        return ""
    named = os.environ.get("CXX", "g++")
    path = shutil.which(named)
    missing = ""
    if path is None:
        missing = f"there is no {named}; install it, or set CXX"
    elif not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        missing = "Python.h is missing; install Python's development package (python3-dev)"
    if missing and wish:
        raise UsageError(f"SPIKECHECK_COMPILE=1: {missing}")
    if missing or path is None:
        return ""
    printed = subprocess.run([path, "-dumpfullversion", "-dumpversion"], capture_output=True, text=True, check=False)
    return f"{Path(path).name} {printed.stdout.strip()}" if printed.returncode == 0 else ""

"""Kernels are compiled for a GPU that is not there: what Triton's interpreter accepts its compiler may refuse."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="Triton has no build for this platform")

ROOT = Path(__file__).parents[2]


def test_kernels_compile(tmp_path: Path) -> None:
    """Width 200 has an output bias, GELU, and seven groups of neurons."""
    env = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    words = [sys.executable, "-W", "error", str(ROOT / "studies" / "gpu_registers.py"), "--width", "200"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert done.returncode == 0, done.stderr
    found = re.findall(
        r"^(gradient|products|segment), .*: (\d+) registers, (\d+) bytes of stack$", done.stdout, re.MULTILINE
    )
    assert len(found) == 8
    assert all(0 < int(registers) <= 255 for _, registers, _ in found)

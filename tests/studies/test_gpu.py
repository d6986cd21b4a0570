"""The study of GPUs, dry: on a CPU, small, its figures meaning nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from studies.gpu import page

ROOT = Path(__file__).parents[2]


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "studies" / "gpu.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_dry_run_writes_every_part_once(tmp_path: Path) -> None:
    first = run("--device", "cpu", "--small", "--part", "verdicts", "--part", "rates", "--out", str(tmp_path))
    assert first.returncode == 0, first.stderr
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))["cpu"]
    assert set(found) == {"machine", "verdicts", "rates"}
    assert all(rate > 0 for rate in found["rates"]["A"].values())
    assert len(found["verdicts"]["condensation"]["scores"]) == 4
    again = run("--device", "cpu", "--small", "--part", "verdicts", "--out", str(tmp_path))
    assert "== verdicts" not in again.stdout
    assert json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))["cpu"] == found


def test_without_a_gpu_it_says_so() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        refused = run()
        assert refused.returncode == 2
        assert "torch sees no GPU here; use --device cpu" in refused.stderr


def test_the_page_sets_the_devices_side_by_side() -> None:
    one = {"seconds": 2.0, "scores": [0.1 * k for k in range(40)], "held": [k > 3 for k in range(40)]}
    other = {"seconds": 9.0, "scores": [0.1 * k for k in range(40)], "held": [k > 3 for k in range(40)]}
    apart = {"seconds": 9.0, "scores": [9.0 + k for k in range(40)], "held": [k > 30 for k in range(40)]}
    same = page({"cuda": {"verdicts": {"condensation": one}}, "cpu": {"verdicts": {"condensation": other}}})
    assert "36 of 40" in same
    assert "(Kolmogorov-Smirnov): 1," in same
    different = page({"cuda": {"verdicts": {"condensation": one}}, "cpu": {"verdicts": {"condensation": apart}}})
    assert "(Kolmogorov-Smirnov): 1.9e-23" in different
    assert "Not run on a GPU so far." in page({})

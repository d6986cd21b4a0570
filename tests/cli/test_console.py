"""Standard output that is closed early, or cannot be written to."""

import subprocess
import sys
from pathlib import Path

import pytest

REPORT = Path(__file__).parents[2] / "reports" / "reproduction.json.gz"


def test_a_reader_who_leaves_early_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m spikecheck list | head -n 1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] == "0"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
def test_a_full_disk_behind_standard_output_is_one_line(tmp_path: Path) -> None:
    """Regression: it was reported as an internal error."""
    for words in (["list"], ["explain", "slas"], ["report", str(REPORT)], ["recheck", str(REPORT)]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-W", "error", "-m", "spikecheck", *words],
                cwd=tmp_path,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 2
        assert (
            done.stderr
            == "error: standard output: cannot be written: No space left on device; make room and run again\n"
        )

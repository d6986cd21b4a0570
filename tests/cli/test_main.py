"""The command's first moments: what it imports, and an interruption before it has begun."""

import subprocess
import sys
from pathlib import Path


def test_list_and_help_answer_without_torch_scipy_or_hypothesis(tmp_path: Path) -> None:
    for words in (["list"], ["--help"], ["explain", "slas"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "spikecheck", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
        assert not imported & {"torch", "scipy", "hypothesis"}
        assert "condensation" in done.stdout or words != ["list"]


def test_ctrl_c_while_the_command_line_is_imported_is_one_line() -> None:
    """Regression: within the first tenth of a second it printed a traceback."""
    script = """
import sys
class Pressed:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "spikecheck.cli.main":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed)
from spikecheck.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted; nothing was begun\n")

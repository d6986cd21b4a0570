"""The command's first moments: what it imports, and an interruption before it has begun."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import called


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


_FOUND = f"import sys, os; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); "
_PRESSED = """
import sys
class Lost:
    def __del__(self):
        raise KeyboardInterrupt
class Pressed:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "spikecheck.cli.main":
            {pressed}
sys.meta_path.insert(0, Pressed)
from spikecheck.__main__ import main
main()
"""


@pytest.mark.parametrize("pressed", ["raise KeyboardInterrupt", "Lost()"], ids=["anywhere", "in a callback"])
def test_ctrl_c_while_the_command_line_is_imported_is_one_line(pressed: str) -> None:
    """Regression: it printed a traceback, and in a callback of the import's, where Python drops it, the command went on."""
    script = _PRESSED.format(pressed=pressed)
    done = subprocess.run([sys.executable, "-c", script, "list"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted; nothing was begun\n")


def test_nothing_is_imported_before_a_ctrl_c_can_be_caught() -> None:
    """Regression: in the milliseconds in which `typing` was imported for the package, Ctrl-C was Python's traceback."""
    script = "import sys; known = set(sys.modules); import spikecheck.__main__; print(sorted(set(sys.modules) - known))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _FOUND + script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['spikecheck', 'spikecheck.__main__']\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["verify", "--claim", "condensatoin"], 2, "did you mean: condensation"),
        (["verify", "--claim", "no*such"], 5, "no claim matches"),
        (["verify", "--budget", "soon"], 2, "--budget 'soon'"),
        (["verify", "--device", "tpu"], 2, "tpu"),
        (["verify", "--claim", "condensation", "--device", "cuda"], 2, "device='cuda'"),
        (["verify", "--claims-path", "nowhere"], 2, "no such folder"),
        (["verify", "--json", "no/such/folder.json"], 2, "cannot be written"),
        (["verify", "--claim", "condensation", "--store", "taken"], 2, "--no-store"),
        (["replay", "condensation", "--at", "lr=0"], 2, "lr='0'"),
        (["replay", "condensation", "--at", "lr"], 2, "AXIS=VALUE"),
        (["replay", "condensation", "--at", "rate=1"], 2, "rate"),
        (["replay", "condensation", "--at", "target=cosh x"], 2, "cosh"),
        (["replay", "condensation", "--at", "model=nowhere:Net"], 2, "nowhere"),
        (["map", "--claim", "spikes-come", "--x", "lr=0.1,fast", "--y", "width"], 2, "lr='fast'"),
        (["map", "--claim", "spikes-come", "--seeds", "3"], 2, "seeds=3: spikes-come needs 5 applicable seeds to hold"),
        (["explain", "slass"], 2, "did you mean: slas"),
        (["store", "prune", "--keep", "much"], 2, "--keep 'much'"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_a_users_mistake_is_told_with_its_remedy_and_no_traceback(
    tmp_path: Path, words: list[str], code: int, told: str
) -> None:
    (tmp_path / "taken").write_text("")
    done = called(tmp_path, *words, SPIKECHECK_STORE=str(tmp_path / "store"))
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr

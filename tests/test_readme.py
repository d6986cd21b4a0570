"""README's code runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_the_python_blocks_run_one_after_another(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", re.findall(r"^spikecheck (?:list|explain .*|store info)$", README, re.MULTILINE))
def test_the_cheap_commands_run(line: str) -> None:
    subprocess.run([sys.executable, "-m", *line.split()], check=True, capture_output=True)

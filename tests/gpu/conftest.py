"""What only a GPU can show. Not part of the suite: `python studies/gpu.py --part tests` runs it on a machine that has one."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.fail("torch sees no GPU here; these tests say nothing without one")

"""Functions of tensors written out in C++."""

import pytest
import torch

from spikecheck.tensors.cpp_source import statements


def test_a_function_without_a_counterpart_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="cosh"):
        statements(lambda x: (torch.cosh(x),), "x[$]", ["y[$]"], 1)

"""What a training leaves: how far apart its checkpoints are."""

import math

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.lab.trained import CHECKPOINTED, STRIDE, checkpoint_stride


@given(st.integers(1, 10**7), st.integers(1, 10**6))
def test_all_checkpoints_of_a_training_fit_where_one_stride_allows(steps: int, numbers: int) -> None:
    stride = checkpoint_stride(steps, numbers)
    assert stride % STRIDE == 0
    assert math.floor(steps / stride) * numbers <= CHECKPOINTED
    smaller = stride - STRIDE
    assert smaller == 0 or steps * numbers / smaller > CHECKPOINTED

"""Sums of the whole tensors, in a group of one process; `test_taking.py` has two processes."""

from collections.abc import Iterator

import pytest
import torch
from torch import distributed
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

from spikecheck.watch.joined_sums import _weight, joined, joined_norm
from spikecheck.watch.layers import Sums


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceMesh]:
    meeting = tmp_path_factory.mktemp("group") / "store"
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    yield DeviceMesh("cpu", [0])
    distributed.destroy_process_group()


def test_one_process_has_the_sums_of_the_whole(mesh: DeviceMesh) -> None:
    parameters = [distribute_tensor(torch.ones(4), mesh, [Shard(0)]), torch.ones(2)]
    sums = Sums([4, 2], [3.0, 1.0], [2.0, 5.0], [None, 0.5], [-1.0, -2.0], [7.0, None])
    whole = joined(sums, parameters)
    assert whole.update == pytest.approx([3.0, 1.0]) and whole.weights == pytest.approx([2.0, 5.0])
    assert whole.gradient[0] is None and whole.gradient[1] == pytest.approx(0.5)
    assert whole.slope == pytest.approx([-1.0, -2.0])
    assert whole.surprise[0] == pytest.approx(7.0) and whole.surprise[1] is None
    assert joined_norm([3.0, 4.0], parameters[0]) == pytest.approx(5.0)
    assert joined_norm([], parameters[1]) == 0.0


def test_every_tensor_counts_once_however_many_processes_hold_it(
    mesh: DeviceMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an ordinary tensor each of four processes has all, so each gives a quarter; of a part nobody else has any."""
    monkeypatch.setattr(distributed, "get_world_size", lambda: 4)
    assert _weight(torch.ones(4)) == 0.25
    part, copy = (distribute_tensor(torch.ones(4), mesh, [placement]) for placement in (Shard(0), Replicate()))
    monkeypatch.setattr(DeviceMesh, "size", lambda *_: 4)
    assert _weight(part) == 1.0
    assert _weight(copy) == 0.25

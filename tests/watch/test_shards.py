"""Parameters of which processes hold parts, in a group of one process, and models that are refused."""

from collections.abc import Iterator

import pytest
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor

from spikecheck.core.errors import UsageError
from spikecheck.watch.shards import check_shards, forward_is_collective, gathering, is_sharded, local, reshard


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceMesh]:
    meeting = tmp_path_factory.mktemp("group") / "store"
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    yield DeviceMesh("cpu", [0])
    distributed.destroy_process_group()


class Net(nn.Module):
    """A model with one parameter."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)


def test_a_part_is_in_the_same_memory_and_an_ordinary_tensor_is_whole(mesh: DeviceMesh) -> None:
    plain, part = torch.arange(6.0), distribute_tensor(torch.arange(6.0), mesh, [Shard(0)])
    assert not is_sharded(plain) and is_sharded(part)
    local(part).add_(1.0)
    assert local(part).tolist() == part.full_tensor().tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert local(plain).data_ptr() == plain.data_ptr()


@pytest.mark.parametrize("placement", [Shard(0), Replicate()])
def test_a_mesh_of_all_processes_is_fine_and_its_forward_pass_needs_them(
    placement: Shard | Replicate, mesh: DeviceMesh
) -> None:
    model = Net(distribute_tensor(torch.ones(4), mesh, [placement]))
    check_shards(model)
    assert forward_is_collective(model)


def test_a_pending_sum_is_refused(mesh: DeviceMesh) -> None:
    pending = DTensor.from_local(torch.ones(4), mesh, [Partial()])
    with pytest.raises(UsageError, match="model: weight is a pending sum over processes"):
        check_shards(Net(pending))


def test_plain_models_need_no_group() -> None:
    model = Net(torch.ones(3))
    check_shards(model)
    assert not forward_is_collective(model)
    assert forward_is_collective(nn.SyncBatchNorm(3))


def test_only_modules_that_gather_their_parameters_are_told_to_free_them() -> None:
    freed: list[nn.Module] = []

    class Gathering(Net):
        def unshard(self) -> None: ...

        def reshard(self) -> None:
            freed.append(self)

    model = nn.Sequential(nn.Linear(2, 2), Gathering(torch.ones(1)))
    reshard(gathering(model))
    assert freed == [model[1]]


def test_fsdp1_is_refused() -> None:
    wrapped = type("FullyShardedDataParallel", (Net,), {})(torch.ones(1))
    with pytest.raises(UsageError, match="FSDP1.*use torch.distributed.fsdp.fully_shard"):
        check_shards(wrapped)

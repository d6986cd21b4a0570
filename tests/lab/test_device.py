"""Devices, and what of them is in a digest."""

from types import SimpleNamespace

import pytest
import torch

from spikecheck.core.errors import UsageError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.device import environment, memory_of, usable
from spikecheck.lab.laboratory import Laboratory


def test_an_accelerators_memory_is_in_its_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(gib: float) -> str:
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda index: SimpleNamespace(total_memory=int(gib * 2**30))
        )
        return Recipe(setting=Setting(), seed=0).digest(environment("cuda"))

    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA of the tests")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    assert digest(79.1) == digest(79.3) != digest(39.4)
    assert memory_of("cuda") == 39
    assert memory_of("cpu") == environment("cpu").memory == 0


def test_an_absent_device_is_named_with_what_there_is() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.fail("this machine has CUDA: let the test ask for mps")
    with pytest.raises(UsageError, match=r"device='cuda'.*cpu"):
        Laboratory(device="cuda")


@pytest.mark.parametrize(("cuda", "expected"), [(True, "cuda"), (False, "cpu")])
def test_without_a_choice_it_is_cuda_where_there_is_one(
    cuda: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert usable("auto") == expected
    assert usable("mps") == "mps"
    assert usable("cpu") == "cpu"


def test_the_cpu_is_named_with_its_instruction_set_and_trains_with_one_thread() -> None:
    here = environment("cpu")
    assert here.device == f"cpu {torch.backends.cpu.get_cpu_capability()}"
    assert (here.threads, here.torch) == (1, str(torch.__version__))

"""The gradient of a user's own module, traced and compiled, against the one that is not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective import compiled_module
from spikecheck.objective.compiled_module import Traced
from spikecheck.objective.compiles import MODULE_FROM as LONG
from spikecheck.objective.objective import build_objective
from spikecheck.tensors import compile as compile_room
from spikecheck.tensors.compiler import compiler
from spikecheck.tensors.kernel import Kernel

pytestmark = pytest.mark.skipif(not compiler(), reason="torch finds no C++ compiler here")

Write = Callable[[str], str]

SOURCE = """
import torch

def plain(setting):
    width = setting.width
    return torch.nn.Sequential(
        torch.nn.Linear(1, width), torch.nn.LayerNorm(width), torch.nn.SiLU(), torch.nn.Linear(width, 1)
    )

class Stubborn(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x):
        return self.layer(x) * float(torch.tensor([2.0, 3.0]).numpy()[0])

def stubborn(setting):
    return Stubborn()

class Recurrent(torch.nn.GRU):
    def forward(self, x):
        return super().forward(x[:, None])[0][:, 0]

class Enlarged(torch.nn.Linear):
    def forward(self, x):
        image = super().forward(x).view(1, 1, -1, 2)
        large = torch.nn.functional.interpolate(image, scale_factor=2.0, mode="bilinear")
        return large.view(len(x), -1).mean(1, keepdim=True)

def enlarged(setting):
    return Enlarged(1, 2)

def recurrent(setting):
    return torch.nn.Sequential(Recurrent(1, 3, batch_first=True), torch.nn.Linear(3, 1))
"""


@pytest.mark.parametrize(("width", "points"), [(5, 7), (20, 40)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_it_is_the_eager_gradient_to_rounding_and_no_member_tells_its_place(
    write: Write, width: int, points: int, dtype: str
) -> None:
    torch.set_num_threads(1)
    setting = Setting(model=f"{write(SOURCE)}:plain", width=width, points=points, steps=LONG, dtype=dtype)
    goal, eager = build_objective([setting] * 16), build_objective([setting.but(steps=LONG - 1)] * 16)
    assert isinstance(goal.written_out, Traced)
    assert eager.written_out is None
    params = goal.initial(range(16))
    losses, gradients = goal.gradient(params)
    rounding = 100 * torch.finfo(params.dtype).eps
    for mine, theirs in zip((losses, gradients), eager.gradient(params), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=rounding, atol=rounding)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(goal.gradient(params[order])[1], gradients[order])


def test_what_cannot_be_traced_is_trained_as_it_is(write: Write) -> None:
    setting = Setting(model=f"{write(SOURCE)}:stubborn", points=5, steps=LONG)
    goal, eager = build_objective([setting] * 2), build_objective([setting.but(steps=10)] * 2)
    params = goal.initial(range(2))
    assert torch.equal(goal.gradient(params)[1], eager.gradient(params)[1])


def test_a_layer_that_writes_into_its_own_tensors_is_compiled_to_its_gradient(write: Write) -> None:
    """Regression: the compiled gradient of torch's GRU was wrong, though its loss was right."""
    setting = Setting(model=f"{write(SOURCE)}:recurrent", points=5, steps=LONG)
    goal, eager = build_objective([setting] * 2), build_objective([setting.but(steps=10)] * 2)
    params = goal.initial(range(2))
    torch.testing.assert_close(goal.gradient(params)[1], eager.gradient(params)[1], rtol=1e-12, atol=1e-15)
    assert isinstance(next(reversed(compiled_module._KERNELS.values())), Kernel)


def test_what_is_compiled_to_another_gradient_is_trained_as_it_is(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_room, "_writes", lambda graph: False)
    setting = Setting(model=f"{write(SOURCE)}:recurrent", points=6, steps=LONG)
    goal, eager = build_objective([setting] * 2), build_objective([setting.but(steps=10)] * 2)
    params = goal.initial(range(2))
    assert torch.equal(goal.gradient(params)[1], eager.gradient(params)[1])


def test_what_torch_cannot_put_into_cpp_is_trained_as_it_is(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: where $CI is set, torch refuses to compile some operations, and the training ended with its refusal."""
    monkeypatch.setenv("CI", "true")
    setting = Setting(model=f"{write(SOURCE)}:enlarged", points=5, steps=LONG)
    goal, eager = build_objective([setting] * 2), build_objective([setting.but(steps=10)] * 2)
    params = goal.initial(range(2))
    assert torch.equal(goal.gradient(params)[1], eager.gradient(params)[1])


def test_a_laboratory_trains_by_it(write: Write, tmp_path: Path) -> None:
    setting = Setting(model=f"{write(SOURCE)}:plain", width=4, points=8, steps=LONG, lr=0.02)
    recipe = Recipe(setting=setting, seed=1)
    run = Laboratory().runs([recipe])[recipe]
    assert run.loss[-1] < run.loss[0] / 2

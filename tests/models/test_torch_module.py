"""Any nn.Module as a model."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn

from spikecheck.core.errors import SettingError
from spikecheck.core.import_path import made
from spikecheck.core.setting import Setting
from spikecheck.models.model import FromModule, model_of
from spikecheck.objective.objective import build_objective

Write = Callable[[str], str]

NETWORK = """
from torch import nn
def make(setting):
    return nn.Sequential(nn.Linear(1, setting.width), nn.Tanh(), nn.Linear(setting.width, 1, bias=False))
"""


COUNTS = """
class Counts(nn.Linear):
    def __init__(self):
        super().__init__(1, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return super().forward(x)


make = lambda s: Counts()
"""


CALLED = """
class Called(nn.Linear):
    def __init__(self, after, bias=True):
        super().__init__(1, 1, bias)
        self.after = after

    def forward(self, x):
        return self.after(super().forward(x))


"""


def setting_of(write: Write, body: str) -> Setting:
    return Setting(model=f"{write(f'import torch{chr(10)}from torch import nn{chr(10)}{body}')}:make", width=6)


def test_it_computes_what_the_module_computes(write: Write) -> None:
    setting = Setting(model=f"{write(NETWORK)}:make", width=6)
    goal = build_objective([setting] * 3)
    params = goal.initial([0, 1, 2])
    network = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1, bias=False)).double()
    found = goal.outputs(params, goal.train.x)
    for member in range(3):
        nn.utils.vector_to_parameters(params[member], network.parameters())
        torch.testing.assert_close(found[member], network(goal.train.x[0]))


def test_it_starts_from_its_own_reset_and_leaves_the_global_generator_alone(write: Write) -> None:
    setting = Setting(model=f"{write(NETWORK)}:make", width=6)
    before = torch.get_rng_state()
    model = model_of(setting, 1, 1)
    first, again, other = (model.initial(setting, seed) for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    assert first.dtype == torch.float64 and first.shape == (model.size,) == (18,)
    assert torch.equal(first, again) and not torch.isclose(first, other).any()
    assert float(first[12:].abs().max()) <= 6**-0.5  # nn.Linear's own bound
    assert torch.equal(model.initial(setting.but(init_scale=0.5), 3), first / 2)


def test_its_first_linear_layer_gives_the_input_weights(write: Write) -> None:
    goal = build_objective([Setting(model=f"{write(NETWORK)}:make", width=6)] * 2)
    params = goal.initial([0, 1])[0]
    incoming, outgoing = goal.weights(params)
    assert incoming.tolist() == torch.stack([params[:6], params[6:12]], dim=1).tolist()
    assert outgoing.tolist() == params[12:, None].tolist()


def test_where_a_convolution_comes_first_its_filters_are_the_input_weights(write: Write) -> None:
    setting = setting_of(
        write,
        "make = lambda s: nn.Sequential(nn.Unflatten(1, (2, 20)), nn.Conv1d(2, 3, 5), nn.AvgPool1d(16), nn.Flatten(),"
        " nn.Linear(3, 10))",
    ).but(problem="mnist1d")
    goal = build_objective([setting] * 2)
    params = goal.initial([0, 1])[0]
    incoming, outgoing = goal.weights(params)
    assert incoming.tolist() == torch.cat([params[:30].view(3, 10), params[30:33, None]], dim=1).tolist()
    assert outgoing.shape == (0, 0)


@pytest.mark.parametrize(
    ("body", "incoming", "outgoing"),
    [
        ("make = lambda s: nn.Linear(1, 1)", (1, 2), (0, 0)),
        ("make = lambda s: nn.Linear(1, 1, bias=False)", (1, 2), (0, 0)),
        ("make = lambda s: nn.PReLU()", (0, 0), (0, 0)),
    ],
)
def test_weights_are_empty_where_there_are_no_such_layers(
    write: Write, body: str, incoming: tuple[int, int], outgoing: tuple[int, int]
) -> None:
    goal = build_objective([setting_of(write, body)] * 2)
    found = goal.weights(goal.initial([0, 1])[1])
    assert (found[0].shape, found[1].shape) == (incoming, outgoing)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("make = lambda s: nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))", "BatchNorm1d 1, whose averages change"),
        (
            "make = lambda s: nn.Sequential(nn.Linear(1, 1), nn.Dropout())",
            "has Dropout 1 with p=0.5, which draws new masks",
        ),
        ("make = lambda s: nn.Linear(1, 1).requires_grad_(False)", "parameter weight is frozen"),
        ("make = lambda s: nn.Tanh()", "has no parameters"),
        ("make = lambda s: 3", "returned int; return an nn.Module"),
        ("make = lambda s: nn.Linear(2, 1)", r"cannot map \[points, 1\] to \[points, 1\]"),
        ("make = lambda s: nn.Linear(1, 2)", r"maps to \[2, 2\]; it has to map \[points, 1\] to \[points, 1\]"),
        (
            "starts = iter(range(9))\nmake = lambda s: nn.ParameterList([torch.tensor([float(next(starts))])])",
            "parameter 0 starts differently from the same seed",
        ),
        (
            "make = lambda s: nn.Linear(1, 1).bfloat16()",
            "parameter weight is bfloat16; only float32 and float64 can be trained",
        ),
        ("make = lambda s: nn.ParameterList([torch.ones(2, dtype=torch.complex64)])", "parameter 0 is complex64"),
        (
            "def make(s):\n    found = nn.Linear(1, 1)\n    nn.init.constant_(found.weight, float('nan'))\n    return found",
            "parameter weight starts with numbers that are not finite",
        ),
        (
            "def make(s):\n    found = nn.Linear(1, 1)\n    found.register_buffer('drawn', torch.randn(3))\n    return found",
            "buffer drawn differs from seed to seed",
        ),
        (
            COUNTS,
            "buffer calls changes when the module is called",
        ),
        ("make = lambda s: nn.Sequential(nn.LazyLinear(3), nn.Linear(4, 1))", r"cannot map \[2, 1\]"),
        (
            "def make(s):\n    made = nn.Linear(1, 1)\n    made.weight.register_hook(lambda g: 0 * g)\n    return made",
            "parameter weight has a gradient hook, which would not run",
        ),
        ("make = lambda s: nn.Linear(1, 1, device='meta')", "parameter weight is on the meta device"),
        (f"{CALLED}make = lambda s: Called(lambda x: (x, None))", "returns tuple; return one tensor"),
        (f"{CALLED}make = lambda s: Called(lambda x: {{'logits': x}})", "returns dict; return one tensor"),
        (f"{CALLED}make = lambda s: Called(lambda x: x.detach())", "its outputs have no gradient"),
        (
            f"{CALLED}make = lambda s: Called(lambda x: x + torch.randn(1))",
            "draws random numbers when it is called; .* --workload",
        ),
        (
            f"{CALLED}make = lambda s: Called(nn.functional.dropout, bias=False)",
            "draws random numbers when it is called",
        ),
        (
            f"{CALLED}calls = []\nmake = lambda s: Called(lambda x: calls.append(0) or x * len(calls))",
            "gives other outputs when it is called again",
        ),
    ],
)
def test_modules_that_an_ensemble_cannot_hold_are_refused_with_the_reason(write: Write, body: str, says: str) -> None:
    with pytest.raises(SettingError, match=f"model='.*:make': .*{says}"):
        build_objective([setting_of(write, body)] * 2)


def test_a_shape_that_depends_on_what_members_differ_in_is_refused(write: Write) -> None:
    setting = setting_of(
        write, "make = lambda s: nn.Sequential(nn.Linear(1, int(80 * s.lr)), nn.Linear(int(80 * s.lr), 1))"
    )
    with pytest.raises(SettingError, match="its shape depends on what members may differ in"):
        build_objective([setting.but(lr=1.0), setting.but(lr=2.0)]).initial([0, 1])


TRAINED = {
    "no dropout": "nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.0), nn.Linear(4, 1))",
    "torch's transformer": (
        "nn.Sequential(nn.Linear(1, 8), nn.Unflatten(1, (1, 8)), "
        "nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), nn.Flatten(), nn.Linear(8, 1))"
    ),
    "a lazy layer": "nn.Sequential(nn.LazyLinear(4), nn.Tanh(), nn.LazyLinear(1))",
    "a constant": "Shifted()",
    "batch statistics": "nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 1))",
    "what depends on its numbers": "Doubling()",
    "a recurrent layer": "nn.Sequential(Recurrent(), nn.Linear(3, 1))",
    "a backward of one's own": "nn.Sequential(nn.Linear(1, 4), Bent(), nn.Linear(4, 1))",
    "hooks that compute a weight": "normed()",
}
CLASSES = """
import warnings


class Recurrent(nn.GRU):
    def __init__(self):
        super().__init__(1, 3, batch_first=True)

    def forward(self, x):
        return super().forward(x[:, None])[0][:, 0]


class Tanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx, above):
        (x,) = ctx.saved_tensors
        return above * (1 - x.tanh() ** 2)


class Bent(nn.Module):
    def forward(self, x):
        return Tanh.apply(x)


def normed():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and in use
        return nn.utils.weight_norm(nn.Linear(1, 1))


class Shifted(nn.Linear):
    def __init__(self):
        super().__init__(1, 1)
        self.register_buffer("shift", torch.tensor([0.5]))
        self.register_buffer("order", torch.tensor([0]))

    def forward(self, x):
        assert self.shift.dtype == x.dtype
        return super().forward(x[:, self.order] + self.shift)


class Doubling(nn.Linear):
    def __init__(self):
        super().__init__(1, 1)

    def forward(self, x):
        found = super().forward(x)
        return 2 * found if float(found.detach().sum()) > 0 else found  # `vmap` cannot decide so
"""


@pytest.mark.parametrize("name", TRAINED)
def test_what_torch_can_train_is_trained_as_torch_does(write: Write, name: str) -> None:
    """Regressions: each was refused, or trained otherwise than said. Losses and gradients are an ordinary module's."""
    setting = setting_of(write, f"{CLASSES}\nmake = lambda s: {TRAINED[name]}")
    goal = build_objective([setting])
    params = goal.initial([3])
    losses, gradients = goal.gradient(params)
    assert isinstance(goal.model, FromModule)
    network = made("model", setting.model, setting)
    network(torch.zeros(2, 1))
    network.double()
    nn.utils.vector_to_parameters(params[0], network.parameters())
    loss = (network(goal.train.x[0]) - goal.train.y[0]).square().mean()
    loss.backward()
    assert float(losses[0]) == pytest.approx(float(loss.detach()), rel=1e-12)
    expected = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
    torch.testing.assert_close(gradients[0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", TRAINED)
def test_many_members_at_once_compute_the_same(write: Write, name: str) -> None:
    """By `vmap` or, where it fails, one by one. Regression: several members of the last four ended as internal errors."""
    setting = setting_of(write, f"{CLASSES}\nmake = lambda s: {TRAINED[name]}")
    together, alone = build_objective([setting] * 3), build_objective([setting])
    params = together.initial([0, 1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that attention on a CPU is slow so
        found = together.losses(params)
    expected = torch.cat([alone.losses(params[member : member + 1]) for member in range(3)])
    torch.testing.assert_close(found, expected)


def test_lazy_layers_start_from_their_seed(write: Write) -> None:
    goal = build_objective([setting_of(write, "make = lambda s: nn.Sequential(nn.LazyLinear(4), nn.LazyLinear(1))")])
    first, again, other = (goal.initial([seed]) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_what_its_module_does_when_imported_changes_no_start(write: Write) -> None:
    """Regression: a seed at the top of the module was refused as another source of random numbers."""
    seeded = setting_of(write, "torch.manual_seed(0)\nmake = lambda s: nn.Sequential(nn.Linear(1, 4), nn.Linear(4, 1))")
    assert build_objective([seeded]).initial([3]).shape == (1, 13)


def test_a_default_dtype_that_another_module_set_changes_no_start(write: Write) -> None:
    """Regression: runs of torch's own optimizer were stored with other starts, where another's module had set it."""
    setting = Setting(model=f"{write(NETWORK)}:make", width=6)
    usual = build_objective([setting]).initial([3])
    torch.set_default_dtype(torch.float64)
    try:
        changed = build_objective([setting]).initial([3])
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(usual, changed)

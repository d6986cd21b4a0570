"""Ensemble training against what one would otherwise write, and against the floor; `nox -s bench` runs this.

256 members, width 50, 40 points, float64. Compare the members-steps per second that each benchmark reports as extra info.
"""

import math
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.harness.paper_settings import SETTING_A, SETTING_B
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.compiles import SHALLOW_FROM as LONG
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule, rule_of
from spikecheck.training import loop as training
from spikecheck.training.loop import begin, train
from spikecheck.training.with_sharpness import follow

MEMBERS, STEPS = 256, 400
SETTING = Setting(target="sin x + sin 3x", points=40, interval=1.0, width=50, steps=STEPS, lr=0.02)


def _reported(benchmark: BenchmarkFixture, run: Callable[[], object], member_steps: int) -> None:
    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    assert benchmark.stats is not None
    benchmark.extra_info["member_steps_per_second"] = round(member_steps / benchmark.stats.stats.median)


@pytest.mark.benchmark(group="training")
def test_a_loop_of_modules_and_torch_optim(benchmark: BenchmarkFixture) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.linspace(-math.pi, math.pi, 40, dtype=torch.float64)[:, None]
    y = torch.sin(x) + torch.sin(3 * x)
    hidden, out = torch.nn.Linear(1, 50, dtype=torch.float64), torch.nn.Linear(50, 1, bias=False, dtype=torch.float64)
    model = torch.nn.Sequential(hidden, torch.nn.Tanh(), out)
    sgd = torch.optim.SGD(model.parameters(), lr=0.02)
    loss_of = torch.nn.MSELoss()

    def loop() -> None:
        for _ in range(STEPS):
            sgd.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            sgd.step()

    _reported(benchmark, loop, STEPS)


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("threads", [1, 2])
def test_one_ensemble(benchmark: BenchmarkFixture, threads: int) -> None:
    torch.set_num_threads(threads)
    ensemble = _begun(SETTING)
    _reported(benchmark, lambda: _trained(*ensemble), MEMBERS * STEPS)
    torch.set_num_threads(1)


@pytest.mark.usefixtures("compiled")
@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_compiled_ensemble(benchmark: BenchmarkFixture, dtype: str) -> None:
    torch.set_num_threads(1)
    ensemble = _begun(SETTING.but(steps=LONG, dtype=dtype))
    _reported(benchmark, lambda: _trained(*ensemble), MEMBERS * STEPS)


@pytest.mark.usefixtures("compiled")
@pytest.mark.benchmark(group="a tile of 32")
@pytest.mark.parametrize("way", ["many updates a call", "step by step"])
@pytest.mark.parametrize("name", ["A", "B"])
def test_a_tile(benchmark: BenchmarkFixture, name: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `training.segment` saves: the same bits, with a return to Python after every update or after a hundred."""
    torch.set_num_threads(1)
    if way == "step by step":
        monkeypatch.setattr(training, "segments", lambda *asked: None)
    setting = {"A": SETTING_A, "B": SETTING_B}[name]
    ensemble = _begun(setting.but(steps=LONG), members=32)
    _reported(benchmark, lambda: _trained(*ensemble), 32 * STEPS)


@pytest.mark.usefixtures("compiled")
@pytest.mark.benchmark(group="sharpness at every step")
@pytest.mark.parametrize("members", [32, MEMBERS])
@pytest.mark.parametrize("way", ["plain", "followed"])
def test_a_followed_ensemble(benchmark: BenchmarkFixture, way: str, members: int) -> None:
    """Compiled, 5,000 steps, the search for the first pairs included; 32 members are a tile of the laboratory's."""
    torch.set_num_threads(1)
    steps = 5_000
    goal, rule, start, _ = _begun(SETTING.but(steps=steps), members)
    until = torch.full((members,), steps)
    passes: dict[str, Callable[[], object]] = {
        "plain": lambda: train(goal, rule, start, until, lambda made: None),
        "followed": lambda: follow(goal, rule, start, until, lambda made: None),
    }
    benchmark.pedantic(passes[way], rounds=3, warmup_rounds=1)
    assert benchmark.stats is not None
    benchmark.extra_info["member_steps_per_second"] = round(members * steps / benchmark.stats.stats.median)


@pytest.mark.benchmark(group="training")
def test_torch_func_used_plainly(benchmark: BenchmarkFixture) -> None:
    """vmap(grad) over stacked parameters, as torch's own tutorial has it."""
    torch.set_num_threads(1)
    x = torch.linspace(-math.pi, math.pi, 40, dtype=torch.float64)[:, None]
    y = torch.sin(x) + torch.sin(3 * x)
    shapes = {"weight": (MEMBERS, 50, 1), "bias": (MEMBERS, 50), "out": (MEMBERS, 1, 50)}
    parameters = {name: torch.randn(shape, dtype=torch.float64) * 50**-0.5 for name, shape in shapes.items()}

    def loss(own: dict[str, torch.Tensor]) -> torch.Tensor:
        hidden = torch.tanh(torch.nn.functional.linear(x, own["weight"], own["bias"]))
        return torch.nn.functional.mse_loss(torch.nn.functional.linear(hidden, own["out"]), y)

    slope = torch.func.vmap(torch.func.grad(loss))

    def loop() -> None:
        here = parameters
        for _ in range(STEPS):
            slopes = slope(here)
            here = {name: here[name] - 0.02 * slopes[name] for name in here}

    _reported(benchmark, loop, MEMBERS * STEPS)


Begun = tuple[Objective, UpdateRule, Ensemble, torch.Tensor]


def _begun(setting: Setting, members: int = MEMBERS) -> Begun:
    goal, rule = build_objective([setting] * members), rule_of(setting)
    lr = torch.full((members,), 0.02, dtype=torch.float64)
    return goal, rule, begin(goal, rule, goal.initial(list(range(members))), lr), torch.full((members,), STEPS)


def _trained(goal: Objective, rule: UpdateRule, start: Ensemble, until: torch.Tensor) -> None:
    train(goal, rule, start, until, lambda steps: None)


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("way", ["uncompiled", "compiled"])
def test_the_laboratory_with_its_workers(benchmark: BenchmarkFixture, way: str, request: pytest.FixtureRequest) -> None:
    """Everything included: digests, checkpoints, runs, the way between processes; not the workers' start."""
    request.getfixturevalue(way)
    executor = Processes()
    seeds = iter(range(10**9))
    setting = SETTING.but(steps=10 * STEPS)

    def verify() -> None:
        lab = Laboratory(executor=executor)
        lab.runs([Recipe(setting=setting, seed=next(seeds)) for _ in range(MEMBERS)])

    _reported(benchmark, verify, MEMBERS * 10 * STEPS)
    executor.close()


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("function", [torch.tanh, torch.sigmoid], ids=["tanh", "sigmoid"])
def test_the_floor_the_activation_alone(
    benchmark: BenchmarkFixture, function: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    torch.set_num_threads(1)
    activations = torch.randn(MEMBERS, 40, 50, dtype=torch.float64)

    def floor() -> None:
        for _ in range(STEPS):
            function(activations)

    _reported(benchmark, floor, MEMBERS * STEPS)

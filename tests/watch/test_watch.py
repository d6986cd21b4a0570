"""A Watch measures, and leaves no trace in the training. What it refuses and warns of: test_watch_warnings.py."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from spikecheck import Watch
from spikecheck.core.watched import Step
from spikecheck.watch.log import WatchLog
from tests.watch.trainings import LOOPS, Loop, equal, plain, squared_error, watched_loop


def logged(loop: Loop, folder: Path, steps: int = 25, **options: Any) -> list[Step]:
    loop.run(steps, log=folder / "log.jsonl", **{"every": 2, **options})
    return list(WatchLog.open(folder / "log.jsonl").ordered())


@pytest.mark.parametrize("name", LOOPS)
def test_the_training_is_the_same_to_the_last_bit_with_and_without(name: str, tmp_path: Path) -> None:
    loop = LOOPS[name]
    if name == "bfloat16":
        loop = Loop(Cast, optimizer=loop.optimizer)
    without, _ = loop.run(25)
    watched, _ = loop.run(25, log=tmp_path / "log.jsonl", every=2)
    assert [number for number, pair in enumerate(zip(without, watched, strict=True)) if not equal(*pair)] == []
    assert len(WatchLog.open(tmp_path / "log.jsonl").steps) == 25  # it did watch to the end


class Cast(nn.Module):
    """Computes in bfloat16, loss in single precision."""

    def __init__(self) -> None:
        super().__init__()
        self.body = plain().bfloat16()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x.bfloat16()).float()


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch.compile's own
def test_a_compiled_model_is_not_disturbed_either(tmp_path: Path) -> None:
    loop = Loop(compiled=True)
    assert equal(loop.run(12)[0], loop.run(12, log=tmp_path / "log.jsonl", every=2)[0])


@pytest.mark.parametrize("name", [name for name in LOOPS if name not in ("bfloat16", "lbfgs")])
def test_the_overshoot_is_resolved_in_ordinary_loops(name: str, tmp_path: Path) -> None:
    steps = logged(LOOPS[name], tmp_path)
    looks = [step.look for step in steps if step.look is not None]
    assert len(looks) == 13 - sum(step.skipped for step in steps[::2])
    unresolved = [look.unresolved for look in looks if look.overshoot is None]
    # Batches that the global generator draws within a step shift dropout's masks: found out at the first look.
    assert len(unresolved) <= (1 if name == "dropout, drawn batches" else 0) + sum(
        reason == "the update does not descend on its own batch" for reason in unresolved
    )


def test_a_clipped_gradient_does_not_change_the_slope(tmp_path: Path) -> None:
    sgd = lambda p: torch.optim.SGD(p, lr=0.05)  # noqa: E731
    for clip in (None, 0.5):
        (tmp_path / str(clip)).mkdir()
    free = logged(Loop(optimizer=sgd), tmp_path / "None", 1)[0].look
    clipped = logged(Loop(optimizer=sgd, clip=0.5), tmp_path / "0.5", 1)[0].look
    assert free is not None and clipped is not None
    # The clipped update is shorter by a factor, and so are slope and, to first order, overshoot.
    factor, slope, overshoot = (
        getattr(clipped, name) / getattr(free, name) for name in ("update_norm", "slope", "overshoot")
    )
    assert clipped.slope_from == free.slope_from == "gradient"  # the factor was seen on one parameter
    assert factor < 0.5
    assert slope == pytest.approx(factor, rel=1e-2)
    assert overshoot == pytest.approx(factor, rel=0.1)


def test_gradients_clipped_one_by_one_are_seen_through_by_the_half_step(tmp_path: Path) -> None:
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    torch.manual_seed(0)
    x = torch.randn(64, 4)
    with Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        for _ in range(6):
            loss = squared_error(model, x)
            optimizer.zero_grad()
            loss.backward()
            slopes = [p.grad.clone() for p in model.parameters() if p.grad is not None]
            nn.utils.clip_grad_value_(model.parameters(), 0.01)
            before = [p.detach().clone() for p in model.parameters()]
            optimizer.step()
            watch.step(loss, partial(squared_error, model, x))
            true = sum(
                float((g * (p.detach() - b)).sum()) for g, p, b in zip(slopes, model.parameters(), before, strict=True)
            )
    look = list(WatchLog.open(tmp_path / "log.jsonl").ordered())[-1].look
    assert look is not None and look.slope_from == "half step" and look.slope == pytest.approx(true, rel=1e-2)


@pytest.mark.parametrize(("late", "rows"), [(1e6, 11), (0.0, 13)])
def test_steps_between_looks_are_logged_at_the_next_look_or_after_a_while(
    late: float, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikecheck.watch.watch._LATE", late)
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = Watch(model, optimizer, log=tmp_path / "log.jsonl", show=False)
    watched_loop(13, watch, model, optimizer, squared_error)
    assert len(WatchLog.open(tmp_path / "log.jsonl").steps) == rows
    watch.close()
    steps = list(WatchLog.open(tmp_path / "log.jsonl").ordered())
    assert [step.step for step in steps] == list(range(13))
    assert [step.step for step in steps if step.look is not None] == [0, 10]


def test_what_is_shown_is_shown_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikecheck.watch.watch._LATE", 1e6)
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = Watch(model, optimizer, show=False)
    shown: list[int] = []
    watch._sinks.append(SimpleNamespace(step=lambda step: shown.append(step.step), close=lambda: None))
    watched_loop(5, watch, model, optimizer, squared_error)
    assert shown == list(range(5))
    watch.close()


def test_not_finite_losses_are_recorded(tmp_path: Path) -> None:
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False)
    for value in (float("nan"), float("inf"), float("-inf"), 1.0):
        (model(torch.ones(2, 4)).sum() * 0.0).backward()
        optimizer.step()
        watch.step(value, lambda: torch.tensor(1.0))
    watch.close()
    steps = list(WatchLog.open(tmp_path / "log.jsonl").ordered())
    assert [step.not_finite for step in steps] == ["nan", "inf", "-inf", None]
    assert [step.loss for step in steps] == [None, None, None, 1.0]


def test_parameters_that_are_changed_after_the_step_are_part_of_it(tmp_path: Path) -> None:
    """Regression: the slope was that of the optimizer's step alone, the change that of both: an overshoot of 9 for 1."""
    model = nn.Linear(4, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
    weight = model.weight

    def loss_of() -> torch.Tensor:
        return (model(x) - 1.0).square().mean()

    with Watch(model, optimizer, every=1, log=tmp_path / "log.jsonl", show=False) as watch:
        for step in range(30):
            start = weight.detach().clone()
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            gradient = weight.grad.clone()  # type: ignore[union-attr]
            optimizer.step()
            if step == 25:  # no look at which the slope is checked
                weight.data -= 0.3 * gradient
            moved = weight.detach() - start
            watch.step(loss, loss_of)
            if step == 25:
                slope = float((gradient * moved).sum())
                expected = 1.0 - (loss_of() - loss).item() / slope
    look = {step.step: step.look for step in WatchLog.open(tmp_path / "log.jsonl").ordered()}[25]
    assert look is not None and look.slope_from == "half step"
    assert look.overshoot == pytest.approx(expected, rel=1e-2)


def test_steps_that_a_scaler_skips_are_recorded(tmp_path: Path) -> None:
    steps = logged(LOOPS["scaled"], tmp_path)
    skipped = [step.step for step in steps if step.skipped]
    assert skipped and skipped == list(range(len(skipped)))  # the scale is halved until nothing overflows


def test_an_interrupt_within_a_look_leaves_the_parameters_after_the_step() -> None:
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = Watch(model, optimizer, every=1, show=False)
    calls = 0

    def loss_of() -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 3:  # at a quarter of the step
            raise KeyboardInterrupt
        return squared_error(model, x)

    x = torch.ones(4, 4)
    loss = squared_error(model, x)
    loss.backward()
    optimizer.step()
    after = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(KeyboardInterrupt):
        watch.step(loss, loss_of)
    assert calls == 3 and all(map(torch.equal, model.parameters(), after))


def test_skipped_steps_are_recorded(tmp_path: Path) -> None:
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False)
    watch.step(1.0)
    optimizer.step()
    watch.step(1.0)
    watch.close()
    assert [step.skipped for step in WatchLog.open(tmp_path / "log.jsonl").ordered()] == [True, False]


def test_two_optimizers_make_one_step(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model: Any = plain()
    both: list[Any] = [
        torch.optim.SGD(model[0].parameters(), lr=0.05),
        torch.optim.AdamW(model[2].parameters(), lr=0.01),
    ]
    with Watch(model, both, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        for _ in range(4):
            x = torch.randn(16, 4)
            loss = squared_error(model, x)
            for optimizer in both:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in both:
                optimizer.step()
            watch.step(loss, partial(squared_error, model, x))
    looks = [step.look for step in WatchLog.open(tmp_path / "log.jsonl").ordered() if step.look is not None]
    assert len(looks) == 4 and all(look.overshoot is not None for look in looks)
    assert set(looks[0].layers) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert looks[0].layers["2.weight"].surprise is not None and looks[0].layers["0.weight"].surprise is None


def _accumulated(watch: Watch, model: Any, optimizer: Any, steps: int, every: int) -> None:
    for step in range(steps):
        x = torch.randn(16, 4)
        loss = squared_error(model, x)
        (loss / every).backward()
        if step % every == every - 1:
            optimizer.step()
            optimizer.zero_grad()
        watch.step(loss, partial(squared_error, model, x))


def test_a_look_that_falls_between_two_steps_is_made_at_the_next(tmp_path: Path) -> None:
    """Regression: where watch.step is called for every micro-batch, none was ever made, without a word."""
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with Watch(model, optimizer, log=tmp_path / "log.jsonl", every=10, show=False) as watch:
        _accumulated(watch, model, optimizer, steps=40, every=4)
    looked = [step.step for step in WatchLog.open(tmp_path / "log.jsonl").ordered() if step.look is not None]
    assert looked == [3, 11, 23, 31]


def test_a_rate_that_the_optimizer_makes_itself_is_left_out(tmp_path: Path) -> None:
    """Regression: lr=None, as of transformers' Adafactor, ended the watching."""

    class OwnRate(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            self.param_groups[0]["lr"] = 0.05
            super().step()
            self.param_groups[0]["lr"] = None

    model = plain()
    optimizer = OwnRate(model.parameters(), lr=0.05)
    with Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        watched_loop(3, watch, model, optimizer, squared_error)
    assert [step.lr for step in WatchLog.open(tmp_path / "log.jsonl").ordered()] == [()] * 3

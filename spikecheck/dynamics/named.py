"""Optimizers from any package, as they come: what `torch.optim.Optimizer` promises is all that is asked of them.

One instance a member, on views into one storage in which every tensor lies as torch's own layers have it, so that rules which
look at whole matrices or at all of a model (Muon, Shampoo, clipping by the global norm) see one model. An optimizer whose rule
is elementwise gives the same bits when a single instance of it has all members' parameters; where that was seen it is what is
done, at a fraction of the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.dynamics.abilities import abilities
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.instances import Alone, Evaluate, Live, Order, Together
from spikecheck.dynamics.packing import count, leaves
from spikecheck.dynamics.updates import Slots, UpdateRule
from spikecheck.problems.tensors import Span, torchs_order


class NamedOptimizer(UpdateRule):
    """A setting's MODULE:NAME as an update rule. No formula for its threshold is known."""

    def __init__(self, setting: Setting, spans: Sequence[Span], evaluate: Evaluate | None = None) -> None:
        """`evaluate` serves an optimizer whose step wants a closure.

        Raises:
            SettingError: when it cannot be made, cannot be stepped, or gives other numbers for the same gradients.
        """
        columns, straight = torchs_order(spans)
        order = Order(setting.optimizer, setting.options, straight, getattr(torch, setting.dtype))
        self._order = order
        self._columns = torch.tensor(columns)
        self._back = self._columns.argsort()
        self._evaluate = None if evaluate is None else self._evaluated_there(evaluate)
        self.abilities = abilities(order, setting.lr)
        if self.abilities.closure and evaluate is None:
            raise SettingError(
                f"optimizer={setting.optimizer!r}: its step wants a closure, and a closure sees the full batch; "
                "leave out batch, gradient_noise and clip"
            )
        self._live: Live | None = None
        self._token: Mapping[str, Tensor] | None = None

    @property
    def slots(self) -> tuple[str, ...]:
        """One vector a member: every number in its state_dict."""
        return ("state",)

    def begin(self, params: Float[Tensor, "B P"]) -> Slots:
        """Nothing yet: an optimizer makes its state at its first step."""
        return {"state": params.new_zeros(len(params), self.abilities.numbers, dtype=torch.float64)}

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """Parameters and state after one update, from the state as a value."""
        start = Ensemble(params, slots, done[:, 0], lr[:, 0], torch.ones_like(done[:, 0], dtype=torch.bool))
        live = self._awake(start)
        return self._ours(live.step(self._torchs(params), self._torchs(grads), lr[:, 0], None)), {"state": live.state()}

    def move(
        self, ensemble: Ensemble, grads: Float[Tensor, "B P"], moving: Bool[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
        """The instances go on from where they are; what stands for their state is turned into numbers by `kept`."""
        if self._live is None or ensemble.slots is not self._token:
            self._live = self._awake(ensemble)
        params = self._live.step(self._torchs(ensemble.params), self._torchs(grads), ensemble.lr, moving)
        self._token = {}
        return self._ours(params), self._token

    def kept(self, ensemble: Ensemble) -> Ensemble:
        """With the state as numbers, where an optimizer can be gone on with from them at all."""
        if self._live is None or ensemble.slots is not self._token:
            return ensemble
        return replace(ensemble, slots={"state": self._live.state()})

    def evaluated(self, ensemble: Ensemble) -> Float[Tensor, "B P"]:
        """Where the optimizer has `eval()`, the parameters that it then shows."""
        if not self.abilities.averages:
            return ensemble.params
        # Where no other instance can stand in, the one at work is asked: its training ends here.
        if self.abilities.resumes and self._live is not None:
            return self._ours(self._live.evaluated(self._torchs(ensemble.params)))
        return self._ours(self._awake(self.kept(ensemble)).evaluated(self._torchs(ensemble.params)))

    def wide(self) -> list[list[int]]:
        """Places in the state of every tensor that is none of single numbers: averages and matrices, not counters."""
        if self.abilities.resumes:
            raise SettingError(f"optimizer={self._order.path!r}: {self.abilities.resumes}; it cannot be linearised")
        found, start = [], 0
        for leaf in leaves(self.abilities.template):
            size = count(leaf)
            if isinstance(leaf, Tensor) and leaf.is_floating_point() and leaf.ndim > 0:
                found.append(list(range(start, start + size)))
            start += size
        return found

    def threshold(self, lr: float) -> float | None:
        """None: `dynamics.stability` finds where it becomes unstable."""
        return None

    def _awake(self, ensemble: Ensemble) -> "Live":
        """Instances in the ensemble's states."""
        if self.abilities.resumes and bool((ensemble.done > 0).any()):
            raise SettingError(
                f"optimizer={self._order.path!r}: {self.abilities.resumes}, so nothing can be forked from its runs"
            )
        alike = len(set(ensemble.done.tolist())) == 1 and len(set(ensemble.lr.tolist())) == 1
        kind = Together if self.abilities.together and alike else Alone
        there = replace(ensemble, params=self._torchs(ensemble.params))
        return kind(self._order, self.abilities, there, self._evaluate)

    def _torchs(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """In torch's order of the parameters."""
        return rows[..., self._columns.to(rows.device)]

    def _ours(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """In ours."""
        return rows[..., self._back.to(rows.device)]

    def _evaluated_there(self, evaluate: Evaluate) -> Evaluate:
        def there(member: int, row: Tensor) -> tuple[float, Tensor]:
            loss, gradient = evaluate(member, self._ours(row))
            return loss, self._torchs(gradient)

        return there

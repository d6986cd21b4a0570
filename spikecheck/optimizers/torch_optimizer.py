"""Optimizers from any package, as they come: what `torch.optim.Optimizer` promises is all that is asked of them.

One instance a member, on tensors as torch's own layers have them, so that rules which look at whole matrices or at all of a
model (Muon, Shampoo, clipping by the global norm) see one model. An optimizer whose rule is elementwise gives the same bits
when a single instance of it has all members' parameters; as long as that is seen it is done, at a fraction of the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.core.errors import SettingError, SpikecheckError
from spikecheck.core.intervention import FreezeOutside, Hold, Jitter
from spikecheck.core.setting import Setting
from spikecheck.models.parameter_layout import Span, torchs_order
from spikecheck.optimizers.capabilities import COUPLED, abilities, failed_step
from spikecheck.optimizers.driven import OptimizerFactory
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.instances import Coupled, Evaluate, Live, Pace, PerMember, Shared
from spikecheck.optimizers.rules import Slots, UpdateRule
from spikecheck.optimizers.state_dict import count, leaves


class NamedOptimizer(UpdateRule):
    """A setting's MODULE:NAME as an update rule. No formula for its threshold is known."""

    def __init__(
        self,
        settings: Sequence[Setting],
        spans: Sequence[Span],
        seeds: Sequence[int] | None = None,
        evaluate: Evaluate | None = None,
    ) -> None:
        """Of members that share all but what a tile's may differ in.

        `seeds` decide what the members' optimizers draw, where they draw at all; by default their numbers. `evaluate` serves
        an optimizer whose step wants a closure.

        Raises:
            SettingError: when it cannot be made, cannot be stepped, or gives other numbers for the same gradients.
        """
        setting = settings[0]
        columns, straight = torchs_order(spans)
        order = OptimizerFactory(setting.optimizer, setting.options, straight, getattr(torch, setting.dtype))
        self._order = order
        self._pace = Pace(tuple(one.lr for one in settings), setting.schedule != "constant")
        self._seeds = tuple(range(len(settings)) if seeds is None else seeds)
        self._columns = torch.tensor(columns)
        self._back = self._columns.argsort()
        self._evaluate = None if evaluate is None else self._evaluated_there(evaluate)
        self.abilities = abilities(order, setting.lr, setting.steps)
        if self.abilities.closure and isinstance(setting.intervention, Hold | Jitter | FreezeOutside):
            raise SettingError(
                f"optimizer={setting.optimizer!r}: its step wants a closure, which computes gradients of its own, so "
                f"{type(setting.intervention).__name__} cannot change them; leave such claims out"
            )
        self._live: Live | None = None
        self._token: Mapping[str, Tensor] | None = None
        self._shown: Tensor | None = None

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
        live = self._awake(start, watched=False)  # no training: it has been watched where it was trained
        found = self._stepped(live, None, grads, start, None)
        return self.in_our_order(found), {"state": live.state()}

    def move(
        self, ensemble: Ensemble, grads: Float[Tensor, "B P"], moving: Bool[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
        """The instances go on from where they are; what stands for their state is turned into numbers by `kept`."""
        if self._live is None or ensemble.slots is not self._token:
            self._live = self._awake(ensemble)
            self._shown = ensemble.params
        displaced = None if ensemble.params is self._shown else self.in_torchs_order(ensemble.params)
        params = self._stepped(self._live, displaced, grads, ensemble, moving)
        self._token = {}
        self._shown = self.in_our_order(params)
        return self._shown, self._token

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
            return self.in_our_order(self._live.evaluated(self.in_torchs_order(ensemble.params)))
        return self.in_our_order(self._awake(self.kept(ensemble)).evaluated(self.in_torchs_order(ensemble.params)))

    @property
    def shares_an_instance(self) -> bool:
        """Whether all members have one, as far as has been seen."""
        return self.abilities.together and self._order not in COUPLED

    def evaluated_at(self, member: int, row: Float[Tensor, " P"], done: int) -> tuple[float, Float[Tensor, " P"]]:
        """What a closure gives: a member's loss and gradient, parameters and gradient in torch's order."""
        assert self._evaluate is not None
        return self._evaluate(member, row, done)

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
        """None: `curvature.linearised_update` finds where it becomes unstable."""
        return None

    def _awake(self, ensemble: Ensemble, *, watched: bool = True) -> "Live":
        """Instances in the ensemble's states."""
        if self.abilities.resumes and bool((ensemble.done > 0).any()):
            raise SettingError(
                f"optimizer={self._order.path!r}: {self.abilities.resumes}, so nothing can be forked from its runs"
            )
        alike = len(set(ensemble.done.tolist())) == 1 and len(set(ensemble.lr.tolist())) == 1 and ensemble.members > 1
        together = self.shares_an_instance and alike
        there = replace(ensemble, params=self.in_torchs_order(ensemble.params))
        if not together:
            return PerMember(self._order, self.abilities, there, self._pace, self._seeds, self._evaluate)
        return Shared(self._order, self.abilities, there, self._pace, self._seeds, self._evaluate, watched)

    def _stepped(
        self, live: Live, displaced: Tensor | None, grads: Tensor, ensemble: Ensemble, moving: Tensor | None
    ) -> Float[Tensor, "B P"]:
        """One update, in torch's order; a rule that turns out not to be elementwise is known for that from then on."""
        try:
            return live.step(displaced, self.in_torchs_order(grads), ensemble.lr, ensemble.done.tolist(), moving)
        except Coupled:
            COUPLED.add(self._order)
            raise
        except SpikecheckError:
            raise
        except Exception as error:
            raise failed_step(self._order.path, error, int(ensemble.done.max())) from error

    def in_torchs_order(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """Parameters or gradients as torch's tensors have them, one after the other."""
        return rows[..., self._columns.to(rows.device)]

    def in_our_order(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """The same as this package has them."""
        return rows[..., self._back.to(rows.device)]

    def _evaluated_there(self, evaluate: Evaluate) -> Evaluate:
        def there(member: int, row: Tensor, done: int) -> tuple[float, Tensor]:
            loss, gradient = evaluate(member, self.in_our_order(row), done)
            return loss, self.in_torchs_order(gradient)

        return there

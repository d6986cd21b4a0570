"""Unmodified optimizers from any package; they need only what `torch.optim.Optimizer` promises.

By default each member has its own instance, on tensors shaped as in torch's own layers. So rules that use whole matrices or
the whole model (Muon, Shampoo, clipping by the global norm) see exactly one model. For an elementwise rule, one instance for
all members' parameters gives the same bits in a fraction of the time; it is used as long as that is observed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.core.errors import USERS_ERRORS, SettingError, SpikecheckError
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
    """The optimizer named by a setting's MODULE:NAME, as an update rule. No formula for its threshold is known."""

    def __init__(
        self,
        settings: Sequence[Setting],
        spans: Sequence[Span],
        seeds: Sequence[int] | None = None,
        evaluate: Evaluate | None = None,
    ) -> None:
        """`settings`: one per member, of one signature. `spans`: the model's tensors in spikecheck's order.

        `seeds` determine the random draws of the members' optimizers; by default 0, 1, 2, … `evaluate` computes loss and
        gradient for an optimizer whose step needs a closure.

        Raises:
            SettingError: when the optimizer cannot be made or stepped, or gives other numbers for the same gradients.
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
                f"optimizer={setting.optimizer!r}: its step needs a closure, which computes its own gradients, so "
                f"{type(setting.intervention).__name__} cannot change them; leave such claims out"
            )
        self._live: Live | None = None
        self._token: Mapping[str, Tensor] | None = None
        self._shown: Tensor | None = None

    @property
    def slots(self) -> tuple[str, ...]:
        """The one slot, `state`: every number in a member's state_dict."""
        return ("state",)

    def begin(self, params: Float[Tensor, "B P"]) -> Slots:
        """Zeros: an optimizer creates its state at its first step."""
        return {"state": params.new_zeros(len(params), self.abilities.numbers, dtype=torch.float64)}

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """Parameters and state after one update that starts from the given state."""
        start = Ensemble(params, slots, done[:, 0], lr[:, 0], torch.ones_like(done[:, 0], dtype=torch.bool))
        live = self._awake(start, watched=False)  # not a training: the rule was compared during training
        stepped = self._stepped(live, None, grads, start, None)
        return self.in_our_order(stepped), {"state": live.state()}

    def move(
        self, ensemble: Ensemble, grads: Float[Tensor, "B P"], moving: Bool[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
        """Parameters after one update of the live instances, and a placeholder for their state, which `kept` replaces."""
        if self._live is None or ensemble.slots is not self._token:
            self._live = self._awake(ensemble)
            self._shown = ensemble.params
        displaced = None if ensemble.params is self._shown else self.in_torchs_order(ensemble.params)
        params = self._stepped(self._live, displaced, grads, ensemble, moving)
        self._token = {}
        self._shown = self.in_our_order(params)
        return self._shown, self._token

    def kept(self, ensemble: Ensemble) -> Ensemble:
        """The ensemble with the optimizers' state as numbers; no numbers where it cannot be resumed from them."""
        if self._live is None or ensemble.slots is not self._token:
            return ensemble
        return replace(ensemble, slots={"state": self._live.state()})

    def evaluated(self, ensemble: Ensemble) -> Float[Tensor, "B P"]:
        """The parameters to evaluate: those after `eval()` where the optimizer has it, else those being trained."""
        if not self.abilities.averages:
            return ensemble.params
        # Where no other instance can take over the state, the live one evaluates; its training ends here.
        if self.abilities.resumes and self._live is not None:
            return self.in_our_order(self._live.evaluated(self.in_torchs_order(ensemble.params)))
        return self.in_our_order(self._awake(self.kept(ensemble)).evaluated(self.in_torchs_order(ensemble.params)))

    @property
    def shares_an_instance(self) -> bool:
        """Whether all members share one instance, as far as observed."""
        return self.abilities.together and self._order not in COUPLED

    def evaluated_at(self, member: int, row: Float[Tensor, " P"], done: int) -> tuple[float, Float[Tensor, " P"]]:
        """A member's loss and gradient, as a closure returns them; parameters and gradient are in torch's order."""
        assert self._evaluate is not None
        return self._evaluate(member, row, done)

    def wide(self) -> list[list[int]]:
        """The places of every array in the state, such as averages and matrices; counters and other scalars are left out.

        Raises:
            SettingError: when the optimizer cannot be resumed, so that it cannot be linearised.
        """
        if self.abilities.resumes:
            raise SettingError(f"optimizer={self._order.path!r}: {self.abilities.resumes}; it cannot be linearised")
        columns, start = [], 0
        for leaf in leaves(self.abilities.template):
            size = count(leaf)
            if isinstance(leaf, Tensor) and leaf.is_floating_point() and leaf.ndim > 0:
                columns.append(list(range(start, start + size)))
            start += size
        return columns

    def threshold(self, lr: float) -> float | None:
        """None: no formula is known. `curvature.linearised_update` finds where training becomes unstable."""
        return None

    def _awake(self, ensemble: Ensemble, *, watched: bool = True) -> "Live":
        """Live optimizers in the ensemble's states."""
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
        """One update, in torch's order. A rule that turns out not to be elementwise is remembered as such."""
        try:
            return live.step(displaced, self.in_torchs_order(grads), ensemble.lr, ensemble.done.tolist(), moving)
        except Coupled:
            COUPLED.add(self._order)
            raise
        except SpikecheckError:
            raise
        except USERS_ERRORS as error:
            raise failed_step(self._order.path, error, int(ensemble.done.max())) from error

    def in_torchs_order(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """Parameters or gradients in the order of torch's tensors, one after the other."""
        return rows[..., self._columns.to(rows.device)]

    def in_our_order(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """Parameters or gradients in spikecheck's order."""
        return rows[..., self._back.to(rows.device)]

    def _evaluated_there(self, evaluate: Evaluate) -> Evaluate:
        def there(member: int, row: Tensor, done: int) -> tuple[float, Tensor]:
            loss, gradient = evaluate(member, self.in_our_order(row), done)
            return loss, self.in_torchs_order(gradient)

        return there

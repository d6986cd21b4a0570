"""A rule whose hyperparameters change in the middle of a training, and the state that it continues from."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import Adam, BuiltIn, UpdateRule, correction
from spikecheck.optimizers.schedules import Scheduled

MOMENTUM_SLOTS = ("mean", "velocity")
"""Slots that hold a running mean of gradients: of Adam, and of heavy ball."""


def retuned(rule: UpdateRule, numbers: Mapping[str, float]) -> UpdateRule:
    """The rule with other hyperparameters. `rule` is built in, and has those that are named."""
    if isinstance(rule, Scheduled):
        return replace(rule, rule=retuned(rule.rule, numbers))
    assert isinstance(rule, BuiltIn)  # Setting refuses the intervention for other rules
    changed: UpdateRule = replace(rule, **numbers)  # type: ignore[arg-type]  # Setting has checked the names
    return changed


def carried_over(ensemble: Ensemble, before: UpdateRule, after: UpdateRule) -> Ensemble:
    """The state in which `after` has the same bias-corrected moments as `before`; the same state for rules but Adam."""
    old, new = _inner(before), _inner(after)
    if not isinstance(old, Adam) or not isinstance(new, Adam):
        return ensemble
    done = ensemble.done[:, None].clamp(min=1)  # no update made yet: the moments are 0 under either rule
    slots = dict(ensemble.slots)
    for slot, beta, beta_after in (("mean", old.beta1, new.beta1), ("squares", old.beta2, new.beta2)):
        if beta != beta_after:
            slots[slot] = slots[slot] * correction(beta_after, done, slots[slot]) / correction(beta, done, slots[slot])
    return replace(ensemble, slots=slots)


def without_momentum(ensemble: Ensemble) -> Ensemble:
    """The same state with its running means of gradients at 0."""
    emptied = {name: torch.zeros_like(slot) for name, slot in ensemble.slots.items() if name in MOMENTUM_SLOTS}
    return replace(ensemble, slots={**ensemble.slots, **emptied})


def _inner(rule: UpdateRule) -> UpdateRule:
    return rule.rule if isinstance(rule, Scheduled) else rule

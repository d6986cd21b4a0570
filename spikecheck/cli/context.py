"""Objects that several commands need: claims by name, a changed setting, a laboratory.

Only the functions that need torch import it, so that commands which only read start immediately.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikecheck.cli.console import print_error
from spikecheck.cli.params import condition
from spikecheck.core.errors import NothingSelected, UsageError
from spikecheck.harness.discover import Discovered, discover, missing
from spikecheck.session.lab_options import LabOptions

if TYPE_CHECKING:
    from spikecheck.core.events import Observer
    from spikecheck.core.setting import Setting
    from spikecheck.harness.claim import Claim
    from spikecheck.lab.laboratory import Laboratory


def all_claims(paths: Sequence[Path]) -> Discovered:
    """All claims. A file that cannot be read is left out with a warning."""
    discovered = discover(paths)
    for reason in discovered.unreadable.values():
        print_error(f"warning: claim file left out: {reason}", "yellow")
    return discovered


def one_claim(claim_id: str, paths: Sequence[Path]) -> "Claim":
    """The claim with this id.

    Raises:
        UsageError: there is none, or its file could not be read.
    """
    discovered = all_claims(paths)
    if claim_id not in discovered.claims:
        raise missing(claim_id, discovered)
    return discovered.claims[claim_id]


def any_claim(claim_id: str, paths: Sequence[Path]) -> "Claim":
    """The claim with this id, those of workloads among them; raises as `one_claim`."""
    found = all_claims(paths).all
    if claim_id not in found.claims:
        raise missing(claim_id, found)
    return found.claims[claim_id]


def about_optimizer(
    claims: Sequence["Claim"], optimizer: str | None, texts: Sequence[str]
) -> tuple[Sequence["Claim"], dict[str, str]]:
    """The claims, with another optimizer if one is given, and the reasons why some cannot be verified with it.

    Raises:
        UsageError: an optimizer has no learning rate, arguments are given without an optimizer, or a value is out of range.
        NothingSelected: no claim can be verified with the optimizer.
    """
    numbers = optimizer_numbers(optimizer, texts)
    if optimizer is None:
        return claims, {}
    from spikecheck.core.setting import Setting
    from spikecheck.harness.with_optimizer import all_under  # brings torch

    with_optimizer(Setting(), optimizer, numbers)  # a value out of range is no reason why a claim cannot be verified
    adapted, left_out = all_under(claims, optimizer, numbers)
    if not adapted:
        name, reason = next(iter(left_out.items()))
        raise NothingSelected(f"no selected claim can be verified with {optimizer}: {name} {reason}")
    return adapted, left_out


def optimizer_numbers(optimizer: str | None, texts: Sequence[str]) -> dict[str, Any]:
    """What --set says, which belongs to an optimizer and has to name its learning rate.

    Raises:
        UsageError: when an optimizer has no learning rate or cannot be imported, or numbers have no optimizer.
    """
    from spikecheck.gate.config import assignments

    numbers = assignments(texts, "--set")
    if optimizer is None and numbers:
        raise UsageError(f"--set {texts[0]}: belongs to an optimizer; give --optimizer MODULE:CLASS as well")
    if optimizer is not None and "lr" not in numbers:
        _check_optimizer(optimizer, numbers)
        raise UsageError(f"--optimizer {optimizer}: has no learning rate; add --set lr=0.01")
    return numbers


def _check_optimizer(optimizer: str, numbers: Mapping[str, Any]) -> None:
    """Check an optimizer that lacks a learning rate: a wrong name is told before what is missing.

    Raises:
        UsageError: there is no such optimizer, or it takes no such argument.
    """
    from spikecheck.core.import_path import check_takes
    from spikecheck.core.setting import OPTIMIZERS, Setting

    if optimizer in OPTIMIZERS:
        Setting().but(optimizer=optimizer, **numbers)
    else:
        check_takes("optimizer", optimizer, numbers)


def with_optimizer(setting: "Setting", optimizer: str | None, numbers: Mapping[str, Any]) -> "Setting":
    """The setting as it is, or trained by another optimizer with these numbers; brings torch.

    Raises:
        SettingError: when the optimizer has no such number.
    """
    if optimizer is None:
        return setting
    from spikecheck.harness.with_optimizer import conditions_of

    return setting.but(**conditions_of(optimizer, numbers))


def changed(reference: "Setting", changes: Sequence[str]) -> "Setting":
    """The reference with conditions changed by AXIS=VALUE texts.

    Raises:
        UsageError: a text is not AXIS=VALUE, or there is no such condition.
        SettingError: a value is not possible.
    """
    return reference.but(**dict(condition(text) for text in changes))


def laboratory(options: LabOptions, observe: "Observer") -> "Laboratory":
    """`session.laboratory`, imported only when called because it imports torch."""
    from spikecheck.session.laboratory import laboratory as opened

    return opened(options, observe)

"""What several commands ask for: claims by name, a setting by its changes, a laboratory.

Torch is imported by the calls that need it: commands that only read must answer at once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikecheck.cli.console import print_error
from spikecheck.cli.params import condition
from spikecheck.core.errors import NothingSelected, UsageError
from spikecheck.core.events import Observer
from spikecheck.core.setting import Setting
from spikecheck.gate.config import assignments
from spikecheck.harness.discover import Found, discover, missing
from spikecheck.session.lab_options import LabOptions

if TYPE_CHECKING:
    from spikecheck.harness.claim import Claim
    from spikecheck.lab.laboratory import Laboratory


def all_claims(paths: Sequence[Path]) -> Found:
    """All claims; a file that cannot be read is told and left out."""
    found = discover(paths)
    for reason in found.unreadable.values():
        print_error(f"warning: claim file left out: {reason}", "yellow")
    return found


def one_claim(claim_id: str, paths: Sequence[Path]) -> "Claim":
    """The claim of that name.

    Raises:
        UsageError: when there is none, or its file could not be read.
    """
    found = all_claims(paths)
    if claim_id not in found.claims:
        raise missing(claim_id, found)
    return found.claims[claim_id]


def about_optimizer(
    claims: Sequence["Claim"], optimizer: str | None, texts: Sequence[str]
) -> tuple[Sequence["Claim"], dict[str, str]]:
    """The claims as they are, or as they are of another optimizer, and why some cannot be.

    Raises:
        UsageError: when an optimizer has no learning rate, or numbers have no optimizer.
        NothingSelected: when no claim can be asked about it.
    """
    numbers = optimizer_numbers(optimizer, texts)
    if optimizer is None:
        return claims, {}
    from spikecheck.harness.with_optimizer import all_under  # brings torch

    asked, left_out = all_under(claims, optimizer, numbers)
    if not asked:
        name, reason = next(iter(left_out.items()))
        raise NothingSelected(f"no selected claim can be asked about {optimizer}: {name} {reason}")
    return asked, left_out


def optimizer_numbers(optimizer: str | None, texts: Sequence[str]) -> dict[str, Any]:
    """What --set says, which belongs to an optimizer and has to name its learning rate.

    Raises:
        UsageError: when an optimizer has no learning rate, or numbers have no optimizer.
    """
    numbers = assignments(texts, "--set")
    if optimizer is None and numbers:
        raise UsageError(f"--set {texts[0]}: belongs to an optimizer; give --optimizer MODULE:CLASS as well")
    if optimizer is not None and "lr" not in numbers:
        raise UsageError(f"--optimizer {optimizer}: is given no learning rate; add --set lr=0.01")
    return numbers


def with_optimizer(setting: Setting, optimizer: str | None, numbers: Mapping[str, Any]) -> Setting:
    """The setting as it is, or trained by another optimizer with these numbers; brings torch.

    Raises:
        SettingError: when the optimizer has no such number.
    """
    if optimizer is None:
        return setting
    from spikecheck.harness.with_optimizer import conditions_of

    return setting.but(**conditions_of(optimizer, numbers))


def changed(reference: Setting, changes: Sequence[str]) -> Setting:
    """The reference with conditions as AXIS=VALUE says.

    Raises:
        UsageError: when one says nothing.
        SettingError: when there is no such condition, or no such value of it.
    """
    return reference.but(**dict(condition(text) for text in changes))


def laboratory(options: LabOptions, observe: Observer) -> "Laboratory":
    """As `session.laboratory`, which brings torch."""
    from spikecheck.session.laboratory import laboratory as opened

    return opened(options, observe)

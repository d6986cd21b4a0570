"""Words and lines for a shell that find a claim and judge it again."""

from collections.abc import Sequence
from shlex import join

from spikecheck.core.setting import Setting


def finding(claim: str, claims_path: str) -> list[str]:
    """The words of a command line that find a claim, from the same working folder."""
    return [claim, *(["--claims-path", claims_path] if claims_path else [])]


def replay_line(claim: Sequence[str], setting: Setting, reference: Setting, seed: int, seeds: int) -> str:
    """The shell command that judges a claim at one setting.

    `claim` contains the words that name the claim and the optimizer to verify it with; `reference` is the reference setting
    of the claim with that optimizer. The command names only the conditions that have to be changed in the reference.
    """
    changes = setting.changes_from(reference).items()
    at = [word for name, value in changes for word in ("--at", f"{name}={_typed(value)}")]
    return join(["spikecheck", "replay", *claim, *at, "--seed", str(seed), "--seeds", str(seeds)])


def _typed(value: object) -> str:
    return "none" if value is None else str(value)

"""What differs between the place where a report's counterexample was found and the one where it is judged again."""

from collections.abc import Iterator, Mapping

from spikecheck.core.verdict import Report, Verdict
from spikecheck.harness.claim import Claim

_OF_NO_CONSEQUENCE = ("date",)
"""Entries of a report's environment on which no bit depends."""

Environment = Mapping[str, str | int | float]


def differences(report: Report, verdict: Verdict, claim: Claim, here: Environment) -> tuple[str, ...]:
    """The differences in words, then and here; empty if none is recorded.

    Args:
        report: the report that was read.
        verdict: its verdict with the counterexample.
        claim: the claim as it is now.
        here: the environment here, as a report would record it.
    """
    return (*_of_claims(verdict, claim), *_of_environments(report.environment, here))


def _of_claims(verdict: Verdict, claim: Claim) -> Iterator[str]:
    if verdict.specification != claim.specification:
        yield f"the claim's specification {verdict.specification}, here {claim.specification}"


def _of_environments(there: Environment, here: Environment) -> Iterator[str]:
    for name in dict.fromkeys([*there, *here]):
        if name not in _OF_NO_CONSEQUENCE and there.get(name) != here.get(name):
            yield f"{name} {there.get(name, 'not recorded')}, here {here.get(name, 'none')}"

"""Groups of claims that address the same question, for links between them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spikecheck.core.verdict import Report, Verdict


@dataclass(frozen=True)
class Question:
    """A question, and the ids of the claims that address it."""

    asks: str
    claims: tuple[str, ...]


QUESTIONS = (
    Question(
        "Do spikes align the input weights, and by what mechanism?",
        (
            "condensation",
            "spike-effect-decomposed",
            "condensation-beyond-edge",
            "condensation-dose",
            "sharpness-condensation-trend",
        ),
    ),
    Question(
        "Why would spikes improve generalisation?",
        ("condensation-generalises", "sharpness-not-generalisation", "top-direction-not-responsible"),
    ),
    Question("Can a spike be predicted?", ("slas", "slas-as-progressive-sharpening", "spikes-foretold")),
    Question(
        "At which sharpness does training become unstable?",
        (
            "ascent-rate",
            "threshold-two-sided",
            "stability-law",
            "gradient-curvature-onset",
            "momentum-threshold",
            "adam-threshold",
            "adam-decoupling",
            "edge-of-stability",
        ),
    ),
    Question(
        "What brings a spike down again?", ("stabilisation", "self-stabilisation", "catapult", "edge-of-stability")
    ),
    Question(
        "Does the loss after a spike fall by low frequencies?",
        (
            "rapid-descent",
            "descent-low-frequency",
            "top-direction-low-frequency",
            "frequency-order",
            "frequency-principle",
            "real-data-low-frequency",
        ),
    ),
)
"""Questions of the claims that come with spikecheck. A user's claim is related to those that its text names in backticks."""


def related(verdict: Verdict, report: Report) -> list[tuple[str, list[Verdict]]]:
    """Other claims of the report that are related to this one, grouped under a heading each."""
    there = {other.id: other for other in report.claims if other.id != verdict.id}
    links = [
        (f"Claims on the same question: {question.asks}", [there[name] for name in question.claims if name in there])
        for question in QUESTIONS
        if verdict.id in question.claims
    ]
    known = {other.id for _, others in links for other in others}
    named = [there[name] for name in _named(verdict, report) if name in there and name not in known]
    return [
        (asks, others)
        for asks, others in [*links, ("Claims that its text names, or whose text names it:", named)]
        if others
    ]


def _named(verdict: Verdict, report: Report) -> Iterator[str]:
    """Ids of the claims named in this claim's text, and of those that name it."""
    yield from _names_in(verdict)
    for other in report.claims:
        if verdict.id in _names_in(other):
            yield other.id


def _names_in(verdict: Verdict) -> list[str]:
    said = (verdict.says, verdict.where, verdict.reading, verdict.cannot_tell, verdict.control_says)
    return re.findall(r"`([\w-]+)`", " ".join(said))

"""What pytest says of one question about a claim: why the item fails, and what its report carries."""

from spikecheck.core.judgement import Judgement
from spikecheck.core.verdict import Verdict
from spikecheck.report.controls import contrasted
from spikecheck.report.estimates import average, counts, decides, effect, shown_average, to_decide
from spikecheck.report.quoted import at_reference, rule_of
from spikecheck.report.summary import control_says, headline


def complaint(verdict: Verdict, question: str, *, strict: bool) -> str:
    """Why the item fails; empty where it passes.

    `replicates` passes on HOLDS alone. `generalises` passes unless the answer is FAILS (of a tendency that does not fail at
    its reference only when strict: where it stops holding is its edge), INVALID or UNTRIGGERED: UNDECIDED means that nothing
    in the domain was refuted.
    `control` passes if the negative control failed, or is no more than what the claim surely exceeds.
    """
    judgement = _deciding(verdict, question)
    if question == "replicates":
        return "" if verdict.replicates == "holds" else _told(verdict, str(verdict.replicates), judgement)
    if question == "control":
        return "" if _apart(verdict) else _told(verdict, "control did not fail", judgement)
    has_edge = verdict.kind == "tendency" and verdict.replicates != "fails"
    tolerated = {"holds", "undecided"} | ({"fails"} if has_edge and not strict else set())
    if verdict.generalises in tolerated:
        return ""
    return "\n".join(filter(None, [_told(verdict, str(verdict.generalises), judgement), edge(verdict)]))


def properties(verdict: Verdict, question: str) -> list[tuple[str, object]]:
    """What JUnit files and pytest's reports carry of an item, by name: outcome, counts, interval, averages, specification."""
    judgement = _deciding(verdict, question)
    pairs: list[tuple[str, object]] = [
        ("claim", verdict.id),
        ("outcome", str(verdict.control.outcome if question == "control" else getattr(verdict, question))),
        ("estimand", judgement.estimand),
        ("held", f"{judgement.held}/{judgement.applicable}"),
        ("interval", f"{judgement.low:.3f}..{judgement.high:.3f}"),
    ]
    effect = judgement.effect
    averages = (
        ("mean", effect.mean, effect.mean_low, effect.mean_high),
        ("median", effect.median, effect.low, effect.high),
    )
    for name, estimate, low, high in averages:
        if estimate is not None and low is not None and high is not None:
            pairs.append((name, f"{estimate:.3g}, {low:.3g}..{high:.3g}"))
    pairs.append(("specification", verdict.specification))
    if question == "generalises" and verdict.counterexample is not None:
        pairs.append(("counterexample", verdict.counterexample.replay))
    return pairs


def edge(verdict: Verdict) -> str:
    """Where a claim stops holding, and the command that shows it; empty if it was refuted nowhere."""
    sighting = verdict.counterexample
    if sighting is None:
        return ""
    at = ", ".join(f"{name}={value}" for name, value in sighting.differs.items()) or "the reference setting"
    judgement = sighting.judgement
    mean = average(judgement.effect, shown_average(judgement, rule_of(verdict)))
    counts = ", ".join(filter(None, (f"held in {judgement.held} of {judgement.applicable} seeds", mean)))
    return f"stops holding at {at}: {counts}\n{sighting.replay}"


def _deciding(verdict: Verdict, question: str) -> Judgement:
    """The judgement that a question's answer rests on; over the domain, that of its counterexample or its weakest setting."""
    if question == "control":
        return verdict.control
    if question == "generalises" and verdict.replicates != "invalid":
        sighting = verdict.counterexample
        return sighting.judgement if sighting is not None else verdict.weakest or verdict.reference
    return verdict.reference


def _apart(verdict: Verdict) -> bool:
    """Whether the negative control failed, or the claim surely exceeds it; of two shares that both hold neither counts."""
    control, contrast = verdict.control, verdict.contrast
    if control.outcome == "fails":
        return True
    both_hold = control.estimand == "share" and control.outcome == "holds"
    return contrast is not None and contrast.outcome == "holds" and not both_hold


def _told(verdict: Verdict, word: str, judgement: Judgement) -> str:
    contrast = contrasted(at_reference(verdict)) if judgement is verdict.control else None
    lines = [
        control_says(verdict) if judgement is verdict.control else headline(verdict),
        f"{verdict.id}: {word.upper()}",
        verdict.says,
        counts(judgement),
        f"effect, {effect(judgement.effect)}" if judgement.applicable else "",
        f"decides: {decides(judgement, rule_of(verdict))}",
        contrast.text if contrast is not None else "",
        to_decide(judgement),
        f"rule: {verdict.rule}",
        verdict.reason,
    ]
    return "\n".join(filter(None, lines))

"""Settings outside the claim's domain that are judged as well: one line each, with the answer and its controls."""

from spikecheck.core.judgement import Answer, Judgement
from spikecheck.core.verdict import Verdict
from spikecheck.report.controls import in_brief
from spikecheck.report.estimates import average, shown_average, to_decide
from spikecheck.report.phrases import percent
from spikecheck.report.quoted import besides, only_searched, rule_of
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Estimand


def beside_says(verdict: Verdict) -> list[str]:
    """One line per setting. Old reports judged these settings in the search only, and the line says so."""
    predicts = rule_of(verdict)
    said = [f"{inert(name)}: {answer_says(answer, predicts)}" for name, answer in besides(verdict).items()]
    return said + [f"{inert(name)}: not judged on fresh seeds" for name in only_searched(verdict)]


def answer_says(answer: Answer, predicts: Estimand | None) -> str:
    """An answer in one line; if nothing was trained, the reason."""
    if not answer.judgement.drawn:
        return answer.reason.rstrip(".") or "not reached"
    said = [f"{answer.outcome}, {_figures(answer.judgement, predicts)}", *in_brief(answer, predicts)]
    said += filter(None, (answer.reason.rstrip("."), to_decide(answer.judgement)))
    return "; ".join(said)


def _figures(judgement: Judgement, predicts: Estimand | None) -> str:
    share = f"{judgement.held} of {judgement.applicable} ({judgement.drawn} trained)"
    between = f"share {percent(judgement.low)} to {percent(judgement.high)}" if judgement.applicable else ""
    return ", ".join(filter(None, (share, between, average(judgement.effect, shown_average(judgement, predicts)))))

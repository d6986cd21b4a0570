"""Many claims as one family: by hand, and by how often a family of claims at their limit is decided wrongly."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.together import together, too_close
from spikecheck.stats.bounds import judge
from spikecheck.stats.prediction import Prediction

Make = Callable[..., Any]
RULE = Prediction(above=0.0)


def counted(verdict: Make, judgement: Make, name: str, held: int, applicable: int = 64, level: float = 0.95) -> Verdict:
    decided = judge(held, applicable, RULE, 1 - level)
    found = judgement(decided.outcome).model_copy(
        update={"held": held, "applicable": applicable, "level": level, "low": decided.low, "high": decided.high}
    )
    made: Verdict = verdict(id=name, reference=found, level=0.95)
    return made


def test_one_that_is_decided_by_a_hair_does_not_stay_so(report: Make, verdict: Make, judgement: Make) -> None:
    clear = [counted(verdict, judgement, f"clear-{n}", 64) for n in range(3)]
    hair = counted(verdict, judgement, "hair", 45)
    assert hair.reference.outcome is Outcome.FAILS
    said = together(report(*clear, hair, *(counted(verdict, judgement, f"open-{n}", 52) for n in range(8))))
    assert "With all 12 as one family (Holm), 3 of the 4 decided" in said
    assert said.endswith("not so: hair.")
    assert too_close(report(*clear, hair, *(counted(verdict, judgement, f"open-{n}", 52) for n in range(8)))) == [
        "hair"
    ]
    assert together(report(*clear)).endswith("3 of the 3 decided at their reference settings stay decided.")
    assert together(report(hair)) == ""


@pytest.mark.parametrize(("held", "side"), [(40, "less"), (60, "greater"), (0, "less"), (64, "greater")])
def test_p_values_are_scipys(verdict: Make, judgement: Make, held: int, side: str) -> None:
    from spikecheck.report.together import _p_value

    found = _p_value(counted(verdict, judgement, "one", held))
    assert found == pytest.approx(binomtest(held, 64, 0.8, alternative=side).pvalue)  # type: ignore[arg-type]
    later = _p_value(counted(verdict, judgement, "one", held, level=0.9875))
    assert later == pytest.approx(min(1.0, 4 * found))


def test_a_family_below_its_limit_is_decided_wrongly_in_a_twentieth_at_most(
    report: Make, verdict: Make, judgement: Make
) -> None:
    """Twelve claims whose true share is just the required one: one by one, one holds wrongly in a fifth and more."""
    rng = np.random.default_rng(0)
    wrong = {"one by one": 0, "together": 0}
    for _ in range(400):
        held = rng.binomial(64, 0.8, size=12)
        found = report(*(counted(verdict, judgement, f"c{place}", int(h)) for place, h in enumerate(held)))
        holding = {v.id for v in found.claims if v.reference.outcome is Outcome.HOLDS}
        said = together(found)
        lost = set(said.partition("not so: ")[2].rstrip(".").split(", "))
        wrong["one by one"] += bool(holding)
        wrong["together"] += bool(holding - lost)
    assert wrong["one by one"] > 80
    assert wrong["together"] <= 30  # 20 expected at most; 30 are exceeded in one of a hundred


def test_every_form_says_it(report: Make, verdict: Make) -> None:
    from spikecheck.report.html import html
    from spikecheck.report.markdown import markdown

    found: Report = report(verdict(id="one"), verdict(id="two"))
    assert together(found)
    for text in (html(found), markdown(found)):
        assert " ".join(together(found).split()) in " ".join(text.replace("\u00a0", " ").split())

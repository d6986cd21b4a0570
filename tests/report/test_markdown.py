"""The Markdown report: complete, inert, and the same for the same report."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from spikecheck.core.judgement import Companion, Outcome
from spikecheck.core.scope import Axis
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Variation
from spikecheck.report.markdown import markdown

Make = Callable[..., Any]
OUTCOMES = list(Outcome)
HOSTILE = "\x1b[31m<script>alert(1)</script> [x](http://evil) | `code` \n# heading \u202e"


@pytest.mark.parametrize(("replicates", "generalises"), list(product(OUTCOMES, OUTCOMES)))
def test_every_pair_of_outcomes_has_its_row_and_section(
    report: Make, verdict: Make, replicates: Outcome, generalises: Outcome
) -> None:
    text = markdown(report(verdict(replicates, generalises)))
    (row,) = [line for line in text.splitlines() if line.startswith("| [condensation]")]
    assert row.count("|") == 11
    assert f" {replicates} " in row
    assert f" {generalises} " in row
    assert re.search(rf"^- \*\*Does it replicate\? [✓✗?∅!] {replicates}\.\*\* ", text, re.MULTILINE)
    assert re.search(rf"^- \*\*Where does it hold\? Generalises: [✓✗?∅!] {generalises}\.\*\*", text, re.MULTILINE)
    assert text == markdown(report(verdict(replicates, generalises)))


def test_the_strongest_setting_found_has_its_outcome(report: Make, verdict: Make, judgement: Make) -> None:
    """Regression: it had none, and read as if the claim held there."""
    elsewhere = judgement(Outcome.FAILS, Setting(width=50))
    text = markdown(report(verdict(Outcome.FAILS, Outcome.FAILS, weakest=None, elsewhere=elsewhere)))
    found = (
        "at width=50 (reference: 20), the strongest setting found, on fresh seeds, ✗ fails: 12 of 64 applicable seeds"
    )
    assert f"- **Strongest** {found}" in text


def test_a_users_strings_come_out_inert(report: Make, verdict: Make) -> None:
    text = markdown(report(verdict().model_copy(update={"says": HOSTILE, "control_says": HOSTILE, "reason": HOSTILE})))
    assert "<script" not in text.replace("\\<script", "")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# heading" not in text
    assert "[x](" not in text


def test_variations_are_counted_and_listed(report: Make, verdict: Make) -> None:
    found = verdict()
    alike = Variation(name="factor twice", judgement=found.reference)
    other = Variation(
        name="factor half", judgement=found.reference.model_copy(update={"outcome": Outcome.FAILS, "held": 3})
    )
    text = markdown(report(found.model_copy(update={"robustness": (alike, other)})))
    assert "| 1/2 |" in text
    assert "| factor half | fails | 3/64 | mean 0.0431 |" in text


def test_settings_beside_the_domain_and_further_effects_are_named(report: Make, guarded: Make) -> None:
    found = guarded()
    effect = found.reference.effect.model_copy(update={"unit": f"weighted {HOSTILE}", "median": -0.25})
    further = found.reference.model_copy(update={"companions": (Companion(effect=effect, measured=60, held=7),)})
    text = markdown(report(found.model_copy(update={"reference": further, "beside": {f"B {HOSTILE}": 2}})))
    assert "- **Besides**, B " in text
    on_fresh_seeds = "holds, 60 of 64 (64 trained), share 86 % to 98 %, mean 0.0431 (0.0312 to 0.055); negative control"
    assert f": {on_fresh_seeds} 12 of 64, exceeded by 0.71 (0.55 to 0.83)." in text
    assert "- **Also measured**, not judged: weighted " in text
    assert "median -0.25 (0.02 to 0.0631); as predicted in 7 of 60 (not judged)" in text
    assert "\x1b" not in text
    assert "<script" not in text.replace("\\<script", "")


@pytest.mark.parametrize("estimand", ["share", "mean", "median", "equivalence"])
def test_share_and_average_are_both_shown_and_one_of_them_decides(report: Make, guarded: Make, estimand: str) -> None:
    text = markdown(report(guarded(estimand=estimand)))
    decisive = {
        "share": "the share of seeds, which must be at least 80 %",
        "mean": "the mean; both bounds must be > 0 and the mean itself >=",
        "median": "the median; both bounds must be > 0;",
        "equivalence": "the mean; both bounds must be >= -0.1 and <= 0.1",
    }
    bare = text.replace("\\", "")
    assert f"It is decided by {decisive[estimand]}" in bare
    assert "60 of 64 applicable seeds (64 trained): share 86 % to 98 %. Gain of mean |cos|: mean 0.0431" in bare
    in_bold = {"share": "| **60/64** | mean 0.0431 |", "median": "| 60/64 | **median 0.0412** |"}
    assert in_bold.get(estimand, "| 60/64 | **mean 0.0431** |") in text


def test_quotation_reading_and_what_it_cannot_tell_are_in_the_section(report: Make, guarded: Make) -> None:
    text = markdown(report(guarded(registered="with")))
    assert '> "loss spikes can facilitate condensation"\n>\n> arXiv' in text
    assert text.count('"') == 2, "quotation marks stand around quotes alone"
    assert "- **Reading:** Can is no law: an average effect." in text
    assert "- **Cannot tell:** The twin lacks more than the spike." in text
    assert "- **Mark:** rule not shown to be written before its data" in text
    assert "**Mark:**" not in markdown(report(guarded(registered="before")))


def test_reach_controls_and_contrast_are_told(report: Make, guarded: Make) -> None:
    text = markdown(report(guarded(generalises=Outcome.FAILS)))
    assert (
        "fails.** Holds in 19 of 24 settings sampled from its domain: 79 % of it (58 to 93 %); 3 more settings" in text
    )
    assert "- **Contrast:** ✓ exceeds its negative control by 0.71 (0.55 to 0.83); must exceed 0.2." in text
    assert "- **Positive control** (weights turned together by 0.05): ✓ planted effect found in 60 of 64: mean" in text
    (broken,) = [line for line in text.splitlines() if line.startswith("- **Breaks**")]
    assert "the smallest counterexample found, on fresh seeds, ✗ fails: 12 of 64" in broken
    assert "✓ planted effect found in 60 of 64" in broken


def test_conditions_of_a_setting_are_in_the_text(report: Make, verdict: Make) -> None:
    assert f"lr={Setting().lr}" in markdown(report(verdict()))


def test_a_map_is_a_table_laid_out_as_its_figure_with_the_reference_in_bold(
    report: Make, verdict: Make, scope: Make
) -> None:
    text = markdown(report(verdict(scopes=(scope(),))))
    first = text.splitlines().index("| width \\ lr | 0.05 | 0.1 | 0.2 |")
    assert text.splitlines()[first : first + 4] == [
        "| width \\ lr | 0.05 | 0.1 | 0.2 |",
        "|---|---|---|---|",
        "| 50 | ∅ n=6 | ~ 40 lost | ✓ 60/64 |",
        "| 20 | ✓ 60/64 | **✗ 12/64** | ? 48/64 |",
    ]
    assert "**Where it holds, over lr (learning rate) and width (neurons a hidden layer):**" in text
    assert "64 trained a cell" in text
    assert "Where it holds" not in markdown(report(verdict()))


def test_a_maps_values_come_out_inert(report: Make, verdict: Make, scope: Make) -> None:
    found = scope(Axis(name="target", values=(HOSTILE, "sin x")), centre=Setting(problem=HOSTILE))
    text = markdown(report(verdict(scopes=(found,))))
    (head,) = [line for line in text.splitlines() if line.startswith("| width")]
    assert len(re.findall(r"(?<!\\)\|", head)) == 4
    assert "<script" not in text.replace("\\<script", "")
    assert "\x1b" not in text


def test_held_is_said_to_be_the_number_that_held(report: Make, verdict: Make) -> None:
    """Regression: it was said to count the seeds to which the claim applies."""
    assert "Held says in how many of the seeds to which the claim applies it held" in markdown(report(verdict()))

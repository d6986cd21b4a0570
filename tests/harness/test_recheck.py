"""A report's verdicts follow from its counts and scores, and one that was touched does not."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict
from spikecheck.harness.claim import Claim, Condition, Control, Trial
from spikecheck.harness.domain import Domain
from spikecheck.harness.plan import Plan
from spikecheck.harness.recheck import recheck
from spikecheck.harness.simulated_lab import REFERENCE, PlantedLab, effect, normal, planted_claim
from spikecheck.harness.verify import verify
from spikecheck.report import json_file
from spikecheck.stats.prediction import Average, Equivalence

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "reports" / "reproduction.json.gz"
PLAN = Plan(settings=3, looks=2, reach=4, variations=True)
BESIDE = REFERENCE.but(points=7)


def half(trial: Trial) -> float:
    """Half of the planted effect."""
    return effect(trial) / 2


def corner(setting: Setting) -> float:
    """True, but at a wide net's high rate."""
    return 0.2 if setting.width == 100 or setting == BESIDE else 0.98


def averaged(**changes: Any) -> Claim:
    """A claim about a mean, with a further one."""
    also = (Condition(measure=half, unit="half", predicts=Average(above=0.0, worth=0.05)),)
    return replace(planted_claim(predicts=Average(above=0.0, worth=0.1)), also=also, **changes)


def verdicts() -> dict[str, Verdict]:
    """Of every estimand and of most outcomes, as they come."""
    share = replace(planted_claim("law"), id="share", beside={"beside": BESIDE})
    little = planted_claim(predicts=Equivalence(at_least=-0.5, at_most=0.5))
    middle = planted_claim(predicts=Average(above=0.0, of="median"))
    worlds = {
        "share": (share, PlantedLab(corner)),
        "false": (planted_claim(), PlantedLab(lambda setting: 0.3)),
        "blind": (planted_claim(), PlantedLab(lambda setting: 0.3, positive=0.1)),
        "unguarded": (replace(planted_claim(), positive=None), PlantedLab(lambda setting: 0.3)),
        "told apart by nothing": (planted_claim(), PlantedLab(lambda setting: 0.99, control=0.99)),
        "open": (planted_claim(), PlantedLab(lambda setting: 0.82)),
        "rare": (planted_claim(), PlantedLab(lambda setting: 0.99, triggers=lambda setting: 0.05)),
        "stopped": (planted_claim(), PlantedLab(lambda setting: 0.99, stop_after=1)),
        "mean": (averaged(), PlantedLab(lambda setting: 0.8, 0.0, positive=1.0, law=normal)),
        "no mean": (averaged(), PlantedLab(lambda setting: -0.5, 0.0, positive=1.0, law=normal)),
        "median": (middle, PlantedLab(lambda setting: 0.9, -0.5, positive=1.0, law=normal)),
        "little": (little, PlantedLab(lambda setting: 0.0, 2.0, positive=0.0, law=normal)),
    }
    return {name: verify(replace(claim, id=name), lab, PLAN) for name, (claim, lab) in worlds.items()}


@pytest.fixture(scope="module")
def report() -> Report:
    found = tuple(verdicts().values())
    return Report(passed=False, command="", profile="", seed=0, environment={}, claims=found)


def again(report: Report, **changes: Any) -> Report:
    """As it is read back from a file."""
    return Report.model_validate_json(json_file.text(report.model_copy(update=changes)))


def test_whatever_a_verification_finds_follows_from_what_it_keeps(report: Report) -> None:
    outcomes = {verdict.id: str(verdict.replicates) for verdict in report.claims}
    assert outcomes == {
        "share": "holds",
        "false": "fails",
        "blind": "invalid",
        "unguarded": "invalid",
        "told apart by nothing": "invalid",
        "open": "undecided",
        "rare": "untriggered",
        "stopped": "undecided",
        "mean": "holds",
        "no mean": "fails",
        "median": "holds",
        "little": "holds",
    }
    assert recheck(again(report)) == {}


def test_the_reproduction_follows_from_its_counts_and_nothing_is_trained() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "spikecheck", "recheck", str(REPORT)],
        capture_output=True,
        text=True,
        check=False,
    )
    claims = len(json_file.read(REPORT).claims)
    assert (done.returncode, done.stdout.strip()) == (0, f"{claims} of {claims} verdicts follow from their counts")
    assert "torch" not in {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}


Touch = Callable[[dict[str, Any]], object]


def answer(claim: dict[str, Any], role: str) -> dict[str, Any]:
    """One of its answers."""
    found: dict[str, Any] = next(one for one in claim["answers"] if one["role"] == role)
    return found


@pytest.mark.parametrize(
    ("name", "touch", "said"),
    [
        ("false", lambda claim: claim.update(replicates="holds"), "replicates is holds, and the reference's answer is fails"),
        ("false", lambda claim: claim.update(generalises="holds"), "generalises is holds, and what it rests on says fails"),
        ("false", lambda claim: claim.update(passed=True), "passed is true, which its answers do not say"),
        ("false", lambda claim: claim["reference"].update(outcome="holds"), "reference: outcome is holds, and the counts say"),
        ("share", lambda claim: claim["reference"].update(held=20), "reference: low is"),
        ("share", lambda claim: claim["reference"].update(low=0.81), "reference: low is 0.81"),
        ("share", lambda claim: claim["reference"].update(applicable=63), "applicable is 63, and 64 seeds have a score"),
        ("share", lambda claim: claim["control"].update(outcome="holds"), "control: outcome is holds"),
        ("share", lambda claim: claim["positive"].update(outcome="fails"), "positive control: outcome is fails"),
        ("share", lambda claim: claim["tried"][1].update(outcome="undecided"), "tried 1: outcome is undecided"),
        ("share", lambda claim: claim["reach"]["sample"][0].update(high=0.2), "sampled 0: high is 0.2"),
        ("share", lambda claim: claim["robustness"][0]["judgement"].update(high=0.2), "high is 0.2"),
        ("share", lambda claim: claim["counterexample"]["judgement"].update(outcome="holds"), "counterexample: outcome is"),
        ("share", lambda claim: claim["predicts"].update(above=1.0), "and 0 seeds' effects lie within"),
        ("share", lambda claim: claim["predicts"].update(kind="vote"), "predicts is no rule"),
        ("share", lambda claim: answer(claim, "reference").update(outcome="fails"), "reference: outcome is fails, and its"),
        ("share", lambda claim: answer(claim, "beside").update(outcome="invalid"), "beside: outcome is invalid, and its"),
        (
            "share",
            lambda claim: answer(claim, "reference")["contrast"].update(outcome="fails"),
            "reference: contrast is fails, and the scores say holds",
        ),
        (
            "share",
            lambda claim: answer(claim, "reference")["contrast"].update(low=0.99),
            "reference: contrast's low is 0.99, and the scores say",
        ),
        (
            "share",
            lambda claim: answer(claim, "counterexample")["positive"].update(outcome="undecided"),
            "answer counterexample's positive control: outcome is undecided",
        ),
        ("mean", lambda claim: claim["reference"].update(outcome="fails"), "reference: outcome is fails"),
        ("mean", lambda claim: claim["reference"]["effect"].update(mean_low=-1.0), "effect's mean low is -1, and the scores"),
        ("mean", lambda claim: claim["reference"]["effect"].update(median=None), "effect's median is none, and the scores"),
        ("mean", lambda claim: claim["predicts"].update(above=0.75), "reference: outcome is holds, and the counts say"),
        (
            "mean",
            lambda claim: claim["reference"]["conditions"][0]["predicts"].update(above=0.9),
            "reference: outcome is holds, and the counts say",
        ),
        (
            "mean",
            lambda claim: answer(claim, "reference")["contrast"].update(outcome="undecided"),
            "reference: contrast is undecided, and the scores say holds",
        ),
        ("little", lambda claim: claim["predicts"].update(at_most=0.01), "reference: outcome is holds, and the counts say"),
        ("blind", lambda claim: answer(claim, "reference").update(outcome="fails"), "its controls say invalid"),
        ("unguarded", lambda claim: answer(claim, "reference").update(outcome="fails"), "its controls say invalid"),
    ],
)  # fmt: skip
def test_what_was_touched_is_named(name: str, touch: Touch, said: str, report: Report) -> None:
    kept = report.model_dump(mode="json", by_alias=True)
    claims = [claim for claim in kept["claims"] if claim["id"] == name]
    touch(claims[0])
    found = recheck(Report.model_validate({**kept, "claims": claims}))
    assert list(found) == [name]
    assert any(said in line for line in found[name]), found[name]


def test_counts_that_are_out_of_order_are_refused_where_the_report_is_read(report: Report) -> None:
    kept = report.model_dump(mode="json", by_alias=True)
    kept["claims"][0]["reference"]["held"] = 300
    with pytest.raises(SettingError, match=r"held: is 300, more than applicable"):
        Report.model_validate(kept)


def test_a_report_that_passes_though_its_claims_do_not(report: Report) -> None:
    assert recheck(again(report, passed=True)) == {"the report": ["passed is true, and not every claim passes"]}


def test_further_conditions_of_a_share_keep_its_contrast_from_being_told(report: Report) -> None:
    """Which seeds held is then not written down, and nothing is said of what cannot be known."""
    never = (Condition(measure=half, unit="half", predicts=planted_claim().predicts),)
    claim = replace(planted_claim(), also=never, control=Control(says="planted", measure=effect))
    found = verify(claim, PlantedLab(lambda setting: 0.99), PLAN)
    assert recheck(again(report, claims=(found,))) == {}


def without_further_scores(part: Any) -> Any:
    """A part of a report as it was before these were kept."""
    if isinstance(part, list):
        return [without_further_scores(one) for one in part]
    if not isinstance(part, dict):
        return part
    conditions = [condition | {"predicts": {}, "scores": []} for condition in part.get("conditions", [])]
    rest = {name: without_further_scores(value) for name, value in part.items()}
    return rest | ({"conditions": conditions} if conditions else {})


def test_a_report_of_before_further_averages_were_kept_is_not_called_touched(report: Report) -> None:
    kept = without_further_scores(report.model_dump(mode="json", by_alias=True))
    assert recheck(Report.model_validate(kept)) == {}


def reported(*found: Verdict) -> Report:
    """A report of these verdicts."""
    whole = json_file.read(REPORT)
    return whole.model_copy(update={"claims": found, "passed": False})


def test_a_report_in_which_nothing_can_be_checked_is_not_said_to_follow() -> None:
    """Regression: a report without claims, a claim twice, or an average whose scores were taken out passed."""
    assert recheck(reported()) == {"the report": ["has no verdict, so nothing follows from it"]}
    held = verify(averaged(), PlantedLab(lambda setting: 1.0, law=normal), PLAN)
    assert recheck(reported(held)) == {}
    edited = held.model_copy(update={"reference": held.reference.model_copy(update={"held": 1, "drawn": 0})})
    assert any("more than once" in line for line in recheck(reported(edited, held))["planted"])
    stripped = held.reference.model_copy(update={"scores": (), "seeds": ()})
    (line, *_) = recheck(reported(held.model_copy(update={"reference": stripped})))["planted"]
    assert line == "reference: has no scores, so its average cannot be computed again"


def test_a_setting_off_the_ladders_called_weakest_is_not_taken_for_the_searchs() -> None:
    """Regression: what it rests on was then said to say something else."""
    claim = replace(planted_claim(), domain=Domain(REFERENCE), beside={"weakest": BESIDE})
    assert recheck(reported(verify(claim, PlantedLab(corner), Plan(settings=2)))) == {}

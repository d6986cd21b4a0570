"""Which counterexample of a report is judged again, and the exit code."""

from pathlib import Path

import pytest

from spikecheck.cli.replaying import by_options, by_report, exit_code
from spikecheck.core.errors import UsageError
from spikecheck.core.judgement import Outcome
from spikecheck.core.reproduction import Recorded, Reproduction
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Counterexample, Report, Verdict
from spikecheck.harness.plan import fresh_seeds
from spikecheck.report import json_file
from tests.commands.planted import FAILS, HOLDS, UNDECIDED, judgement, verdict

EDGE = Setting(lr=0.2)


def failing(name: str, setting: Setting = EDGE, seeds: int = 64) -> Verdict:
    there = judgement(FAILS, setting).model_copy(update={"seeds": fresh_seeds(0, setting, seeds)})
    seen = Counterexample(setting=setting, differs={}, judgement=there, replay=f"spikecheck verify {name}")
    return verdict(name, "tendency", HOLDS, FAILS).model_copy(update={"counterexample": seen})


def written(folder: Path, *verdicts: Verdict) -> Path:
    report = Report(passed=False, command="", profile="ci", seed=0, environment={}, claims=verdicts)
    json_file.write(report, folder / "report.json")
    return folder / "report.json"


def test_the_only_counterexample_needs_no_name(tmp_path: Path) -> None:
    file = written(tmp_path, failing("condensation"), verdict("slas", "law", HOLDS, HOLDS))
    request = by_report(file, None, ())
    assert (request.claim.id, request.setting, request.seeds) == ("condensation", EDGE, fresh_seeds(0, EDGE, 64))
    assert request.recorded == Recorded.of(failing("condensation").counterexample.judgement)  # type: ignore[union-attr]


def test_the_optimizer_is_the_reports(tmp_path: Path) -> None:
    words = ("--optimizer", "adam", "--set", "lr=0.01", "--set", "beta1=0.8")
    file = written(tmp_path, failing("condensation").model_copy(update={"asked_with": words}))
    reference = by_report(file, None, ()).claim.domain.reference
    assert (reference.optimizer, reference.lr, reference.beta1) == ("adam", 0.01, 0.8)


@pytest.mark.parametrize(
    ("verdicts", "claim", "said"),
    [
        (
            [failing("condensation"), failing("slas")],
            None,
            "has 2 counterexamples; add CLAIM, one of: condensation, slas",
        ),
        ([failing("condensation")], "slas", "has no counterexample of slas; it has those of: condensation"),
        ([verdict("slas", "law", HOLDS, HOLDS)], None, "has no counterexample; it has those of: no claim"),
        ([failing("condensation", seeds=0)], None, "before reports had seeds; run: spikecheck verify condensation"),
        ([failing("slas", Setting(problem="workload:mlp {}", model="workload"))], None, "is of a workload; run: spike"),
    ],
)
def test_what_cannot_be_replayed_from_a_report_is_refused_with_a_remedy(
    tmp_path: Path, verdicts: list[Verdict], claim: str | None, said: str
) -> None:
    with pytest.raises(UsageError, match="report.json: ") as refused:
        by_report(written(tmp_path, *verdicts), claim, ())
    assert said in str(refused.value)


def test_without_a_claim_and_without_a_report_there_is_nothing_to_judge() -> None:
    with pytest.raises(UsageError, match="no claim is given; add CLAIM or --claim CLAIM"):
        by_options(None, (), (None, ()), changes=(), seeds=(0, 64), gave=None)


@pytest.mark.parametrize(
    ("now", "recorded", "code"),
    [
        *((HOLDS, None, 0), (FAILS, None, 0), (UNDECIDED, None, 3), (Outcome.UNTRIGGERED, None, 3)),
        *((FAILS, FAILS, 0), (HOLDS, FAILS, 1), (UNDECIDED, FAILS, 3)),
    ],
)
def test_the_exit_code_is_1_where_a_record_is_not_reproduced(now: Outcome, recorded: Outcome | None, code: int) -> None:
    there = None if recorded is None else Reproduction(Recorded.of(judgement(recorded)), judgement(now))
    assert exit_code(judgement(now), there) == code

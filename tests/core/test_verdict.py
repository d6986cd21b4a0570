"""Exit codes of reports, and the shell lines that judge a setting again."""

import shlex
from itertools import product

import pytest

from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict, compared_line, exit_code, finding, replay_line
from spikecheck.core.workload_setting import workload_setting

REFERENCE = Setting()
EMPTY = Effect(unit="", median=None, low=None, high=None)


def judgement(setting: Setting = REFERENCE) -> Judgement:
    return Judgement(
        setting=setting,
        outcome=Outcome.HOLDS,
        drawn=24,
        applicable=20,
        held=19,
        low=0.8,
        high=1.0,
        required=0.8,
        level=0.95,
        effect=EMPTY,
    )


def verdict(kind: str, replicates: Outcome, generalises: Outcome, *, passed: bool) -> Verdict:
    return Verdict(
        id="planted",
        kind=kind,
        says="",
        where="",
        rule="",
        replicates=replicates,
        generalises=generalises,
        passed=passed,
        reference=judgement(),
        control=judgement(),
        control_says="",
        settings_tried=1,
        settings_triggered=1,
        numerical_failures=0,
        runs_trained=0,
        runs_reused=0,
        seconds=0.0,
        definitions={},
        specification="",
    )


def report(*verdicts: Verdict, **changes: object) -> Report:
    whole = Report(passed=False, command="", profile="quick", seed=0, environment={}, claims=verdicts)
    return whole.model_copy(update=changes)


@pytest.mark.parametrize(("replicates", "generalises"), list(product(Outcome, Outcome)))
@pytest.mark.parametrize("kind", ["law", "tendency"])
@pytest.mark.parametrize("strict", [False, True])
def test_what_one_verdict_leaves_with(kind: str, replicates: Outcome, generalises: Outcome, strict: bool) -> None:
    """Written out: a failure is 1, what is settled and passes 0, all else 3."""
    refuted = generalises is Outcome.FAILS
    passed = replicates is Outcome.HOLDS and not (kind == "law" and refuted)
    expected = 0 if passed else 3
    if replicates is Outcome.FAILS or (refuted and (kind == "law" or strict)):
        expected = 1
    assert exit_code(report(verdict(kind, replicates, generalises, passed=passed)), strict=strict) == expected


GOOD = verdict("tendency", Outcome.HOLDS, Outcome.HOLDS, passed=True)
OPEN = verdict("tendency", Outcome.UNDECIDED, Outcome.UNDECIDED, passed=False)
BAD = verdict("tendency", Outcome.FAILS, Outcome.FAILS, passed=False)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (report(GOOD, GOOD), 0),
        (report(GOOD, OPEN), 3),
        (report(OPEN, BAD, GOOD), 1),
        (report(GOOD, complete=False), 3),
        (report(GOOD, unreadable={"mine.py": "no claim"}), 3),
        (report(BAD, complete=False), 1),
        (report(GOOD, left_out={"other": "has no formula"}), 0),
    ],
)
def test_what_a_report_leaves_with(found: Report, code: int) -> None:
    assert exit_code(found) == code


def test_a_line_names_only_what_differs_from_the_reference() -> None:
    setting = REFERENCE.but(target="sin x + sin 4x", batch=5)
    words = shlex.split(replay_line(["planted"], setting, REFERENCE.but(clip=0.5), 3, 24))
    changes = sorted(words[index + 1] for index, word in enumerate(words) if word == "--at")
    assert changes == ["batch=5", "clip=none", "target=sin x + sin 4x"]
    assert words[:3] == ["spikecheck", "replay", "planted"]
    assert words[-4:] == ["--seed", "3", "--seeds", "24"]


def test_a_compared_line_replays_and_compares_on_a_workload_too() -> None:
    setting = workload_setting("mlp", {}, optimizer="gd", lr=0.1, steps=50)
    for words, one in ((["planted", "--workload", "mlp"], judgement(setting)), (["planted"], judgement())):
        compared = shlex.split(compared_line(words, one, REFERENCE if one.setting == REFERENCE else setting, 0))
        assert compared[1 : 2 + len(words)] == ["replay", *words]
        assert (compared.count("--gave"), compared[compared.index("--seeds") + 1]) == (1, "24")


def test_a_claim_outside_the_package_is_found_by_its_folder() -> None:
    assert finding("planted", "") == ["planted"]
    assert finding("planted", "my claims") == ["planted", "--claims-path", "my claims"]

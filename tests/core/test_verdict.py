"""Exit codes of reports, and the shell lines that judge a setting again."""

import shlex
from itertools import product

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict, compared_line, exit_code, finding, replay_line
from spikecheck.core.workload_setting import workload_setting
from tests.commands.planted import FAILS, HOLDS, UNDECIDED, judgement, verdict

REFERENCE = Setting()


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
    assert exit_code(report(verdict("planted", kind, replicates, generalises)), strict=strict) == expected


GOOD, OPEN, BAD = (verdict("planted", "tendency", one, one) for one in (HOLDS, UNDECIDED, FAILS))


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
    for words, there in ((["planted", "--workload", "mlp"], setting), (["planted"], REFERENCE)):
        compared = shlex.split(compared_line(words, judgement(HOLDS, there), there, 0))
        assert compared[1 : 2 + len(words)] == ["replay", *words]
        assert (compared.count("--gave"), compared[compared.index("--seeds") + 1]) == (1, "64")


def test_a_claim_outside_the_package_is_found_by_its_folder() -> None:
    assert finding("planted", "") == ["planted"]
    assert finding("planted", "my claims") == ["planted", "--claims-path", "my claims"]

"""A baseline fits the suite it was made with, and is refused in one line wherever it does not."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikecheck.core.errors import BaselineError
from spikecheck.core.scorecard import Band, Baseline, Scores
from spikecheck.gate.baseline import baseline_of, fitting
from spikecheck.gate.suite import Suite, contestant, own_suite

PATH = Path("kept/base.json")
CPU: dict[str, str | int | float] = {"device": "cpu", "torch": "2.13.0"}
REMEDY = "; if that is intended, write it again: --update-baseline --baseline kept/base.json --reason TEXT"
SEEDS = 3
SUITE = own_suite({}, SEEDS, 7)
ADAM = contestant("adam", {"lr": 0.01})


def scores(suite: Suite = SUITE) -> Scores:
    """Numbers for every row, setting and seed."""
    generator = np.random.default_rng(0)
    return Scores(
        values={
            measure.name: {
                place: (0.0, 1.0, 0.0)[: suite.seeds]
                if measure.law == "count"
                else tuple(map(float, generator.normal(size=suite.seeds)))
                for place in suite.settings
            }
            for measure in suite.measures
        }
    )


def kept(numbers: Scores | None = None, suite: Suite = SUITE, device: str = "cpu") -> Baseline:
    return baseline_of(
        ADAM,
        numbers or scores(),
        suite,
        reason="first",
        command="spikecheck gate",
        environment={**CPU, "device": device},
    )


def test_a_remedy_for_a_path_with_spaces_can_be_pasted() -> None:
    """Regression: the shell read it as two words."""
    with pytest.raises(BaselineError) as refused:
        fitting(kept().model_copy(update={"digest": "other"}), Path("my folder/base.json"), SUITE, CPU)
    assert "--update-baseline --baseline 'my folder/base.json' --reason TEXT" in str(refused.value)


def refusal(baseline: Baseline, suite: Suite = SUITE, device: str = "cpu") -> str:
    with pytest.raises(BaselineError) as refused:
        fitting(baseline, PATH, suite, {**CPU, "device": device})
    assert "\n" not in str(refused.value)
    message = str(refused.value)
    assert message.startswith(f"{PATH}: ")
    assert message.endswith((REMEDY, "; keep one baseline for each device"))
    return message


def signed_without_device() -> dict[str, Any]:
    """What differs in a baseline that does not say where it was made."""
    other = baseline_of(
        ADAM, scores(), SUITE, reason="first", command="spikecheck gate", environment={"torch": "2.13.0"}
    )
    return {"environment": other.environment, "digest": other.digest}


def changed(row: str, place: str, values: Any) -> Baseline:
    """A baseline with other numbers in one row, and the digest that belongs to them."""
    whole = scores().values
    return kept(Scores(values={**whole, row: {**whole[row], place: values}}))


def test_a_baseline_fits_the_suite_that_it_was_made_with() -> None:
    assert fitting(kept(), PATH, SUITE, CPU) == kept()
    assert fitting(kept(), PATH, own_suite({}, SEEDS, 7), {"device": "cpu (another one)"}) == kept()


def test_it_keeps_what_it_was_made_with() -> None:
    baseline = kept(suite=own_suite({"batch": 10}, SEEDS, 7))
    assert (baseline.seeds, baseline.root, baseline.conditions) == (SEEDS, 7, {"batch": 10})
    assert (baseline.reason, baseline.command, baseline.environment) == ("first", "spikecheck gate", CPU)
    assert [place.name for place in baseline.places] == list(SUITE.settings)
    assert baseline.contestant == ADAM
    assert baseline.scores == scores()


@pytest.mark.parametrize("curves", [{}, {"sines": Band(steps=(1,), median=(0.5,), low=(0.4,), high=(0.6,))}])
def test_the_digest_is_that_of_the_file_without_it(curves: dict[str, Band]) -> None:
    """From the written text: a digest made in another way would refuse every baseline that anybody has kept."""
    baseline = kept(scores().model_copy(update={"curves": curves}))
    document = json.loads(baseline.model_dump_json(by_alias=True))
    digest = document.pop("digest")
    if not curves:
        del document["scores"]["curves"]
    assert digest == hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def test_it_is_read_back_from_its_text() -> None:
    again = Baseline.model_validate_json(kept().model_dump_json(by_alias=True))
    assert fitting(again, PATH, SUITE, CPU) == kept()


@pytest.mark.parametrize(
    "edit",
    [
        {"reason": "second"},
        {"command": "other"},
        {"contestant": contestant("adam", {"lr": 0.1})},
        {"environment": {**CPU, "torch": "2.0"}},
        {"digest": ""},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_an_edit_by_hand_is_refused(edit: dict[str, Any]) -> None:
    assert "has been changed since it was written; if that is intended, write it again: --update-baseline" in refusal(
        kept().model_copy(update=edit)
    )


def test_an_edited_curve_is_refused_and_none_has_the_digest_of_older_baselines() -> None:
    band = Band(steps=(1,), median=(0.5,), low=(0.4,), high=(0.6,))
    numbers = scores().model_copy(update={"curves": {"sines": band}})
    drawn = kept(numbers)
    assert drawn.digest != kept().digest
    assert fitting(drawn, PATH, SUITE, CPU).scores.curves == {"sines": band}
    assert "has been changed" in refusal(drawn.model_copy(update={"scores": scores()}))


def test_other_seeds_are_refused_by_name() -> None:
    assert "has seeds 3, this gate 4" in refusal(kept(), own_suite({}, 4, 7))
    assert "has root of the seeds 7, this gate 8" in refusal(kept(), own_suite({}, SEEDS, 8))


def test_other_settings_are_refused_by_name() -> None:
    own = own_suite({"problem": "digits"}, SEEDS, 7)
    message = refusal(kept(), own)
    assert "has other settings than this gate (digits, mnist1d, mnist1d by batches, sines, wide sines)" in message


def test_settings_of_the_same_names_that_differ_are_refused() -> None:
    message = refusal(kept(), own_suite({"batch": 10}, SEEDS, 7))
    assert "its settings or measures have changed since it was written" in message


def test_a_baseline_of_another_kind_of_device_is_refused() -> None:
    message = refusal(kept(device="cuda:0 H200"), device="cpu")
    assert "was made on cuda:0, this is cpu" in message
    assert "was made on , this is cpu" in refusal(kept().model_copy(update=signed_without_device()))


def test_a_missing_row_is_refused() -> None:
    whole = scores().values
    message = refusal(kept(Scores(values={name: row for name, row in whole.items() if name != "best loss"})))
    assert "has no row 'best loss'" in message


def test_a_row_without_one_of_the_settings_is_refused() -> None:
    whole = scores().values
    fewer = {place: numbers for place, numbers in whole["best loss"].items() if place != "sines"}
    message = refusal(kept(Scores(values={**whole, "best loss": fewer})))
    assert "row 'best loss' has 0 of 3 seeds in 'sines'" in message


@pytest.mark.parametrize(
    ("row", "values", "present"),
    [
        ("best loss", (1.0, None, 2.0), 2),
        ("best loss", (1.0, 2.0), 2),
        ("best loss", (), 0),
        ("best loss", (1.0, 2.0, 3.0, 4.0), 4),
        ("test loss", (1.0, 2.0), 2),
    ],
)
def test_a_missing_number_is_refused_since_it_could_never_get_worse(row: str, values: Any, present: int) -> None:
    assert f"row {row!r} has {present} of 3 seeds in 'sines'" in refusal(changed(row, "sines", values))


def test_numbers_that_some_trainings_do_not_have_may_be_missing() -> None:
    baseline = changed("test loss", "sines", (None, None, None))
    assert fitting(baseline, PATH, SUITE, CPU) == baseline


@pytest.mark.parametrize("strange", [2.0**63, -1.0, 0.5, 9.0])
def test_a_count_that_is_neither_0_nor_1_is_refused(strange: float) -> None:
    """Regression: it became a table of Boschloo's test, and the gate ended in an internal error."""
    message = refusal(changed("spiking", "sines", (0.0, strange, 1.0)))
    assert f"row 'spiking' has {strange} in 'sines', but counts 0 or 1" in message

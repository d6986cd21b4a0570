"""A planted log is diagnosed as it was planted."""

from pathlib import Path

import numpy as np
import pytest

from spikecheck.core.errors import UsageError
from spikecheck.watch.columns import read_columns
from spikecheck.watch.diagnosis import diagnose

STEPS = np.arange(3_000.0)


def planted(**others: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    loss = rng.normal(2.0, 0.05, len(STEPS))
    loss[2_000:2_030] += 1.5
    return {"step": STEPS, "loss": loss, **others}


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(1.0, 0.1, len(STEPS))


def test_what_moved_first_comes_first() -> None:
    grad, update = noise(1), noise(2)
    grad[1_994:2_030] += 3.0
    update[1_998:2_030] += 3.0
    found = diagnose(planted(grad_norm=grad, update_norm=update, other=noise(3)), "loss", "step")
    (one,) = found.spikes
    assert (one.spike.onset, one.spike.over) == (2_000, 2_030)
    assert [(moved.column, moved.before) for moved in one.moved] == [("grad_norm", 6), ("update_norm", 2)]


@pytest.mark.parametrize(
    ("rate", "kink"),
    [
        (np.where(STEPS < 1_995, 1e-3 * STEPS / 1_995, 1e-3), 1_995),
        (np.where(STEPS < 1_999, 1e-3, 1e-2), 1_999),
        (np.where((STEPS >= 1_990) & (STEPS < 2_000), 3e-2, 1e-3), 2_000),
        (1e-3 * (1.0 + np.cos(np.pi * STEPS / 3_000)) / 2.0, None),
        (np.full(len(STEPS), 1e-3), None),
        (np.where(STEPS < 500, 1e-3 * STEPS / 500, 1e-3), None),
    ],
)
def test_a_kink_of_the_schedule_is_named_where_the_spike_follows_it(rate: np.ndarray, kink: int | None) -> None:
    (one,) = diagnose(planted(lr=rate), "loss", "step").spikes
    assert one.kink == (None if kink is None else pytest.approx(kink, abs=1))
    assert one.lr == pytest.approx(rate[2_000])


def test_spikes_at_one_place_of_the_epoch_are_said_to_recur() -> None:
    columns = planted(epoch=STEPS / 400.0)
    for onset, height in ((500, 3.0), (890, 7.0), (1_300, 1.6), (2_495, 9.0)):  # 90 to 100 into an epoch of 400
        columns["loss"][onset : onset + 10] += height
    columns["loss"][2_000:2_030] -= 1.5
    found = diagnose(columns, "loss", "step")
    assert len(found.spikes) == 4
    assert "same place of the epoch of 400 steps, 2" in str(found.recurring)


def test_spikes_at_chance_places_do_not_recur() -> None:
    columns = planted(epoch=STEPS / 400.0)
    for onset, height in ((510, 3.0), (1_020, 7.0), (1_340, 1.6), (2_650, 9.0)):
        columns["loss"][onset : onset + 10] += height
    assert diagnose(columns, "loss", "step").recurring is None


def test_what_the_log_cannot_tell_is_said() -> None:
    sparse = {name: column[::10] for name, column in planted().items()}
    said = " ".join(diagnose(sparse, "loss", "step").missing)
    assert "A row every 10 steps" in said and "No learning rate is logged" in said and "No gradient norm" in said
    short = {name: column[:50] for name, column in planted(lr=noise(1)).items()}
    found = diagnose(short, "loss", "step")
    assert "needs 131 losses; this log has 50" in found.missing[0] and not found.spikes
    few = np.full(len(STEPS), np.nan)
    few[::100] = 1.0
    assert any(
        "Too few values" in line and "grad_norm" in line
        for line in diagnose(planted(grad_norm=few), "loss", "step").missing
    )


def test_rows_out_of_order_and_without_a_step_are_read() -> None:
    columns = planted()
    order = np.random.default_rng(0).permutation(len(STEPS))
    shuffled = {name: np.append(column[order], np.nan) for name, column in columns.items()}
    assert diagnose(shuffled, "loss", "step") == diagnose(columns, "loss", "step")
    assert diagnose(columns, "loss", None).spikes == diagnose(columns, "loss", "step").spikes


def test_a_training_that_was_begun_again_counts_from_there() -> None:
    """Regression: rows of two trainings in one file were sorted by step, one of each in turn."""
    columns, calm = planted(), planted()
    calm["loss"][2_000:2_030] -= 1.5
    of_both = {name: np.concatenate([columns[name], calm[name][:2_500]]) for name in columns}
    found = diagnose(of_both, "loss", "step")
    assert (found.rows, found.spikes) == (2_500, ())
    assert (
        found.missing[0]
        == "3,000 rows are left out: the log goes back to an earlier step, or has a step twice. The later rows count."
    )
    resumed = {name: np.concatenate([calm[name][:2_400], column[1_900:]]) for name, column in columns.items()}
    assert diagnose(resumed, "loss", "step").spikes == diagnose(columns, "loss", "step").spikes


def test_a_log_written_from_its_end_is_read_as_it_is() -> None:
    columns = planted()
    backward = {name: column[::-1] for name, column in columns.items()}
    assert diagnose(backward, "loss", "step") == diagnose(columns, "loss", "step")


def test_steps_with_fractions_are_refused() -> None:
    columns = planted(epoch=STEPS / 400.0)
    with pytest.raises(
        UsageError, match=r"--step epoch: has fractions, such as 0.0025; name a column of whole numbers"
    ):
        diagnose(columns, "loss", "epoch")


def test_rows_without_a_step_are_numbered_and_that_is_said() -> None:
    columns = planted()
    found = diagnose(columns, "loss", None)
    assert found.missing[0] == "No column has the step (--step NAME): rows are numbered from 0."


@pytest.mark.parametrize("losses", [[np.nan] * 3, [np.inf, np.nan, -np.inf]])
def test_a_loss_that_never_was_a_number_is_refused(losses: list[float]) -> None:
    """Regression: a column of NaN alone was called a spike that "reaches inf"."""
    with pytest.raises(UsageError, match="--loss loss: none of its 3 values is a finite number; name another column"):
        diagnose({"step": np.arange(3.0), "loss": np.array(losses)}, "loss", "step")


def test_rows_whose_loss_is_a_text_are_counted(tmp_path: Path) -> None:
    """Regression: the log ended where the texts began, without a word."""
    file = tmp_path / "run.csv"
    file.write_text("step,loss\n" + "".join(f"{step},{2.5 + step % 7}{'*' * (step > 150)}\n" for step in range(200)))
    read = diagnose(read_columns(file), "loss", "step")
    assert read.rows == 151 and "49 rows are left out: loss is no number, such as '6.5*'." in read.missing


def test_a_log_that_goes_on_without_losses_is_told() -> None:
    losses = np.where(np.arange(200) < 170, 2.0 + np.arange(200) % 7, np.nan)
    read = diagnose({"step": np.arange(200.0), "loss": losses}, "loss", "step")
    assert "The last 30 rows have no loss, which some programs write for a loss that is not finite." in read.missing


def test_what_was_not_read_of_the_file_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    file.write_text("Begin\n" + "".join(f"step {step} loss {2.5 + step % 7}\n" for step in range(200)))
    missing = diagnose(read_columns(file), "loss", "step").missing
    assert missing[0] == "Lines with step, loss are read; lines of other forms are not: 1."

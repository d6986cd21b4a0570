"""Losses of training and validation under one name are two columns."""

from spikecheck.watch.kinds import by_kind

TRAIN, VAL = {"step": 1, "split": "train", "loss": 2.0}, {"step": 1, "split": "val", "loss": 3.0, "accuracy": 0.5}


def test_what_both_have_is_called_after_the_kind() -> None:
    """Regression: at a step with both, the validation's loss took the place of the training's."""
    rows = by_kind([TRAIN, VAL, {"step": 2}], ("step",))
    assert rows == [
        {"step": 1, "split": "train", "train/loss": 2.0},
        {"step": 1, "split": "val", "val/loss": 3.0, "accuracy": 0.5},
        {"step": 2},
    ]


def test_one_kind_stays_as_it_is() -> None:
    assert by_kind([TRAIN, TRAIN], ("step",)) == [TRAIN, TRAIN]


def test_many_texts_are_no_kinds() -> None:
    rows = [{"mode": f"warm {number}", "loss": 1.0} for number in range(9)]
    assert by_kind(rows, ()) == rows

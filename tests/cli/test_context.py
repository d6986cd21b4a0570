"""What several commands need: claims by name, and options that belong together."""

from pathlib import Path

import pytest

from spikecheck.cli.context import any_claim, changed, one_claim, optimizer_numbers, with_optimizer
from spikecheck.core.errors import SettingError, SpikecheckError, UsageError
from spikecheck.core.setting import Setting


def test_a_claim_is_found_by_its_name_and_a_misspelt_one_is_named() -> None:
    assert one_claim("slas", []).id == "slas"
    with pytest.raises(SpikecheckError, match="slsa.*slas"):
        one_claim("slsa", [])


def test_claims_of_workloads_are_found_only_among_all() -> None:
    assert any_claim("edge-of-stochastic-stability", []).id == "edge-of-stochastic-stability"
    with pytest.raises(SpikecheckError, match="edge-of-stochastic-stability"):
        one_claim("edge-of-stochastic-stability", [])


def test_a_file_that_cannot_be_read_is_a_warning_and_its_claim_is_missed_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text("raise ValueError('no')\n")
    assert one_claim("slas", [tmp_path]).id == "slas"
    assert "warning: claim file left out:" in capsys.readouterr().err
    with pytest.raises(SpikecheckError, match="mine"):
        one_claim("mine", [tmp_path])


@pytest.mark.parametrize(
    ("optimizer", "texts", "message"),
    [
        (None, ["lr=0.1"], "--set lr=0.1: belongs to an optimizer; give --optimizer MODULE:CLASS as well"),
        ("adam", [], "--optimizer adam: has no learning rate; add --set lr=0.01"),
        ("adam", ["beta1=0.9"], "--optimizer adam: has no learning rate; add --set lr=0.01"),
    ],
)
def test_numbers_belong_to_an_optimizer_and_that_has_a_rate(
    optimizer: str | None, texts: list[str], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        optimizer_numbers(optimizer, texts)
    assert str(refused.value) == message


def test_without_an_optimizer_nothing_changes() -> None:
    setting = Setting(lr=0.1)
    assert optimizer_numbers(None, []) == {}
    assert with_optimizer(setting, None, {}) is setting
    assert with_optimizer(setting, "adam", {"lr": 0.02}).differences(setting).items() >= {
        ("optimizer", "adam"),
        ("lr", 0.02),
    }


def test_conditions_are_changed_by_their_names() -> None:
    assert changed(Setting(), []) == Setting()
    found = changed(Setting(lr=0.1), ["lr=0.05", "width=7", "batch=none"])
    assert (found.lr, found.width, found.batch) == (0.05, 7, None)


@pytest.mark.parametrize(
    ("text", "error"), [("width", UsageError), ("widht=3", UsageError), ("width=-3", SettingError)]
)
def test_what_is_no_condition_is_refused(text: str, error: type[SpikecheckError]) -> None:
    with pytest.raises(error, match="widht|width"):
        changed(Setting(), [text])


def test_reasons_fit_a_line() -> None:
    for refuse, given in (
        (one_claim, ("nothing", [])),
        (changed, (Setting(), ["x"])),
        (optimizer_numbers, ("adam", [])),
    ):
        with pytest.raises(SpikecheckError) as refused:
            refuse(*given)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("optimizer", "texts", "message"), [
    ("no_such:Own", [], "no module 'no_such'"),
    ("torch.optim:Nope", [], "is called 'Nope'"),
    ("torch.optim:Adam", ["foo=1"], "no argument of torch.optim:Adam is called 'foo'"),
    ("adamm", [], "no optimizer is called 'adamm'"),
    ("adam", ["foo=1"], "'foo'"),
    ("torch.optim:Adam", ["eps=0.1"], "no learning rate"),
])  # fmt: skip
def test_a_wrong_name_is_told_before_a_missing_rate(optimizer: str, texts: list[str], message: str) -> None:
    """Regression: it was said that a class which does not exist has no learning rate."""
    with pytest.raises(UsageError) as refused:
        optimizer_numbers(optimizer, texts)
    assert message in str(refused.value)

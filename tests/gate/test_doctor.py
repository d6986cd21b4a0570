"""`spikecheck doctor`: what is seen of optimizers whose abilities are known."""

import pytest

from spikecheck.cli import main
from spikecheck.core.errors import SettingError
from spikecheck.gate.examination import examined
from spikecheck.gate.suite import contestant


def doctor(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The command's exit code."""
    monkeypatch.setattr("sys.argv", ["spikecheck", "doctor", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def seen(optimizer: str, **numbers: object) -> dict[str, bool]:
    return {finding.seen: finding.good for finding in examined(contestant(optimizer, numbers))}


def test_torchs_adam_can_do_everything() -> None:
    found = seen("torch.optim:Adam", lr=0.01)
    assert all(found.values())
    assert {"step() needs no closure", "goes on from its state_dict to the same bits"} <= found.keys()


def test_one_that_wants_a_closure_and_grows_says_what_that_costs() -> None:
    found = examined(contestant("torch.optim:LBFGS", {"lr": 0.1}))
    faults = {finding.seen.partition(":")[0]: finding.means for finding in found if not finding.good}
    assert faults.keys() == {"one instance a member", "step() wants a closure", "cannot be gone on with"}
    assert all(faults.values())


def test_a_rule_of_ones_own_has_its_threshold() -> None:
    assert "spikecheck's own rule; stability threshold: 200 at this rate" in seen("gd", lr=0.01)


def test_a_rate_that_diverges_is_said_to_be_too_large() -> None:
    assert seen("torch.optim:SGD", lr=50.0)["100 steps on a small net diverge at lr=50"] is False


def test_one_that_cannot_be_used_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingError, match="Muon only supports 2D parameters"):
        seen("torch.optim:Muon", lr=0.01)
    assert doctor(monkeypatch, "--optimizer", "torch.optim:Muon", "--set", "lr=0.01") == 2
    assert "Muon only supports 2D parameters" in capsys.readouterr().err


def test_what_was_seen_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor(monkeypatch, "--optimizer", "torch.optim:LBFGS", "--set", "lr=0.1") == 0
    told = capsys.readouterr().out
    assert "step() wants a closure" in told
    assert "it sees the full batch" in told

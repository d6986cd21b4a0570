"""`spikecheck doctor`: what is seen of optimizers whose abilities are known."""

from pathlib import Path

import pytest

from spikecheck.cli.main import main
from spikecheck.core.errors import SettingError
from spikecheck.gate.compatibility import examined
from spikecheck.gate.run import scores
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.lab.laboratory import Laboratory
from spikecheck.optimizers.instances import PerMember


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
    assert {"step() needs no closure", "resumes from its state_dict to the same bits"} <= found.keys()


def test_under_a_schedule_it_is_compared_as_without_one() -> None:
    """Regression: with a schedule a named optimizer was taken for a built-in rule, and compared with nothing."""
    conditions = {"schedule": "warmup-cosine", "steps": 20}
    found = [finding.seen for finding in examined(contestant("torch.optim:SGD", {"lr": 0.05}), conditions)]
    assert "moves as in torch's ordinary loop for 20 steps, to the bit" in found
    assert found[-1].startswith("20 steps on a small net")


def test_one_that_wants_a_closure_and_grows_says_what_that_costs() -> None:
    found = examined(contestant("torch.optim:LBFGS", {"lr": 0.1}))
    faults = {finding.seen.partition(":")[0]: finding.means for finding in found if not finding.good}
    assert faults.keys() == {"one instance a member", "step() wants a closure", "cannot be resumed"}
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


def test_it_moves_as_in_torchs_ordinary_loop() -> None:
    assert seen("torch.optim:NAdam", lr=0.01)["moves as in torch's ordinary loop for 100 steps, to the bit"]


def test_one_that_would_be_driven_otherwise_is_named_and_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver is broken on purpose, as one is that overwrites what an optimizer set."""
    honest = PerMember.step

    def wrong(self: PerMember, params, grads, lr, done, moving):  # type: ignore[no-untyped-def]
        return honest(self, params, grads if done[0] < 7 else 2 * grads, lr, done, moving)

    monkeypatch.setattr(PerMember, "step", wrong)
    assert doctor(monkeypatch, "--optimizer", "planted_optimizers:WholeNorm", "--set", "lr=0.01") == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "moves differently from torch's ordinary loop: after step 8 layers.0.weight differs" in told


OWN_NET = '''
"""A model whose parameters have names of their own, and an optimizer that goes by them."""
from torch import nn
from torch.optim import SGD


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(1, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.body(x).tanh())


def net(setting):
    return Net()


def by_names(named, lr):
    groups = {"body": [], "head": []}
    for name, p in named:
        groups[name.partition(".")[0]].append(p)
    return SGD([{"params": groups["body"], "lr": lr}, {"params": groups["head"], "lr": lr / 2}])
'''


def test_groups_by_the_names_of_ones_own_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the doctor and by the gate, whose rows on cost use the model's own tensors."""
    (tmp_path / "own_net.py").write_text(OWN_NET)
    monkeypatch.syspath_prepend(tmp_path)
    line = ["--optimizer", "own_net:by_names", "--set", "lr=0.05", "--model", "own_net:net"]
    assert doctor(monkeypatch, *line) == 0
    assert "one instance a member" in capsys.readouterr().out
    suite = own_suite({"model": "own_net:net", "steps": 40}, 2, 0, ("final loss", "time a step", "memory"))
    found = scores(contestant("own_net:by_names", {"lr": 0.05}), suite, Laboratory(None))
    assert found.values["memory"] == {"one step": (0.0,)}
    plain = scores(contestant("torch.optim:SGD", {"lr": 0.05}), suite, Laboratory(None))
    assert found.values["final loss"] != plain.values["final loss"]

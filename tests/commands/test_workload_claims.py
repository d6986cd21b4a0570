"""`spikecheck verify --workload`: claims asked of trainings whose curvature is planted, so that the answer is known."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.harness.discover import discover
from spikecheck.report import json_file

PLANTED = '''
import torch
import spikecheck


class Valleys(torch.nn.Module):
    """Four batches, each with a valley of its own; all valleys' curvature rises from `first` to `last`, and stays there."""

    def __init__(self, first, last, steps, valleys):
        super().__init__()
        self.w = torch.nn.Parameter(1 + torch.rand(valleys, dtype=torch.float64))
        self.register_buffer("made", torch.zeros((), dtype=torch.float64))
        self.first, self.last, self.rises = first, last, 0.4 * steps

    def forward(self, number):
        curvature = self.first + (self.last - self.first) * (self.made / self.rises).clamp(max=1.0)
        return curvature * self.w[number].square() / 2


def workload(make_optimizer, seed, device, first=6.0, last=20.0, steps=200, valleys=4):
    torch.manual_seed(seed)
    model = Valleys(first, last, steps, valleys)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1) if make_optimizer is None else make_optimizer(model.parameters())

    def step(number):
        optimizer.zero_grad()
        loss = model(number)
        loss.backward()
        optimizer.step()
        model.made += 1
        return loss

    return spikecheck.Training(
        step=step, batches=[torch.tensor(number) for number in range(valleys)],
        state={"model": model, "optimizer": optimizer}, loss=model,
    )


def broken(make_optimizer, seed, device):
    training = workload(make_optimizer, seed, device)
    def step(number):
        raise ValueError("no such batch")
    return spikecheck.Training(step=step, batches=[1], state=training.state)


def silent(make_optimizer, seed, device):
    training = workload(make_optimizer, seed, device)
    return spikecheck.Training(step=training._step, batches=[torch.tensor(0)], state=training.state)
'''
EDGE, BATCHES = "edge-of-stability", "edge-of-stochastic-stability"
STEPS = ("--steps", "20")
"""Every step is looked at, and the second half lies past the first two fifths, in which the curvature rises."""


@pytest.fixture
def planted(spikecheck: Any, write: Any) -> str:
    return f"{write(PLANTED)}:workload"


def asked(spikecheck: Any, workload: str, *words: str) -> tuple[int, Report]:
    line = ("verify", "--workload", workload, "--executor", "local", *STEPS, "--json", "report.json")
    code = spikecheck(*line, *words)
    return code, json_file.read(Path("report.json"))


def only(report: Report) -> Verdict:
    (verdict,) = report.claims
    return verdict


def test_curvature_that_rises_to_the_edge_is_found_and_its_controls_fail(spikecheck: Any, planted: str) -> None:
    """One batch an epoch: the whole loss's sharpness rises to 2/lr, and a quarter of the rate keeps it far below its own."""
    code, report = asked(spikecheck, planted, EDGE, "--at", "valleys=1", "--at", "last=20.2")
    verdict = only(report)
    assert (code, verdict.replicates) == (0, Outcome.HOLDS)
    assert verdict.reference.effect.median == pytest.approx(1.01, abs=1e-6)
    assert verdict.control.outcome is Outcome.FAILS
    assert "A workload is one setting" in verdict.reason


def test_curvature_that_stays_below_the_edge_is_refuted_and_replayed(
    spikecheck: Any, planted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The replay line reproduces what it records bit by bit; one that was edited, or trained with other seeds, does not."""
    code, report = asked(spikecheck, planted, EDGE, "--at", "valleys=1", "--at", "last=10.0")
    verdict = only(report)
    assert (code, verdict.replicates) == (1, Outcome.FAILS)
    assert verdict.positive is not None
    assert verdict.positive.outcome is Outcome.HOLDS
    assert verdict.counterexample is not None
    line = verdict.counterexample.replay
    assert f"spikecheck replay {EDGE} --workload {planted}" in line
    words = shlex.split(line)[1:]
    capsys.readouterr()
    assert spikecheck(*words, "--executor", "local") == 0
    assert "reproduced bitwise: fails" in " ".join(capsys.readouterr().out.split())
    edited = [word.replace("fails,", "holds,") for word in words]
    assert edited != words
    assert spikecheck(*edited, "--executor", "local") == 1
    said = capsys.readouterr().out
    assert "NOT reproduced: recorded holds" in " ".join(said.split())
    assert "--report" not in said
    words[words.index("--seed") + 1] = "7"
    assert spikecheck(*words, "--executor", "local") == 1
    assert "these are other seeds than recorded" in " ".join(capsys.readouterr().out.split())


def test_batches_at_the_edge_are_told_from_the_whole_loss_at_the_edge(spikecheck: Any, planted: str) -> None:
    """Each batch has a valley of curvature 2/lr, so that the mean of the four has a quarter of it along each.

    The second time, every training comes from the store.
    """
    code, report = asked(spikecheck, planted, BATCHES, EDGE)
    found = {verdict.id: verdict for verdict in report.claims}
    assert code == 1
    assert found[BATCHES].replicates is Outcome.HOLDS
    assert found[BATCHES].reference.effect.median == pytest.approx(1.0, abs=1e-6)
    assert found[BATCHES].reference.companions[0].effect.median == pytest.approx(0.25, abs=1e-3)
    assert found[EDGE].replicates is Outcome.FAILS
    _, second = asked(spikecheck, planted, BATCHES, EDGE)
    assert sum(verdict.runs_trained for verdict in report.claims) == 32, (
        "16 seeds, and as many at a quarter of the rate"
    )
    assert [verdict.runs_trained for verdict in second.claims] == [0, 0]
    for before, again in zip(report.claims, second.claims, strict=True):
        assert again.reference.scores == before.reference.scores


def test_batches_below_the_edge_are_refuted(spikecheck: Any, planted: str) -> None:
    code, report = asked(spikecheck, planted, BATCHES, "--at", "last=12.0")
    assert (code, only(report).replicates) == (1, Outcome.FAILS)


def test_with_one_batch_an_epoch_the_whole_loss_is_at_the_edge_too(spikecheck: Any, planted: str) -> None:
    """The control then holds: full-batch gradient descent is no evidence for what is said of single batches."""
    _, report = asked(spikecheck, planted, BATCHES, "--at", "valleys=1")
    assert only(report).replicates is not Outcome.HOLDS


def test_every_claim_is_asked_or_the_reason_is_given(spikecheck: Any, planted: str, capsys: Any) -> None:
    words = ("--no-store", "--seeds", "14", "--markdown", "report.md", "--html", "report.html", "--junit", "report.xml")
    code, report = asked(spikecheck, planted, *words)
    assert code in {1, 3}
    assert {verdict.id for verdict in report.claims} == {EDGE, BATCHES, "spikes-come", "spikes-foretold"}
    assert report.left_out["condensation"] == "needs the input weights of a two-layer network"
    assert "add --optimizer adam" in report.left_out["adam-threshold"]
    assert len(report.claims) + len(report.left_out) == len(discover().all.claims)
    said = capsys.readouterr().out
    assert "Not applicable to this workload: slas" in said
    assert f"workload={planted}" in said.replace("\n", "").replace(" " * 13, " ")
    assert "Not applicable to this workload: " in Path("report.html").read_text(encoding="utf-8")
    assert "Not applicable to this workload: " in Path("report.md").read_text(encoding="utf-8")
    assert "<testsuite" in Path("report.xml").read_text(encoding="utf-8")


def test_rates_above_the_edge_diverge_and_count_neither_for_nor_against(spikecheck: Any, planted: str) -> None:
    words = ("spikes-come", "--at", "first=80.0", "--at", "last=80.0", "--at", "valleys=1")
    _, report = asked(spikecheck, planted, *words, "--steps", "2000", "--seeds", "8")
    verdict = only(report)
    assert (verdict.reference.numerical_failures, verdict.reference.applicable) == (8, 0)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("slass",), 2, "no claim is called 'slass'; did you mean: slas"),
        (("condensation",), 5, "needs the input weights of a two-layer network"),
        (("adam-threshold",), 5, "is about adam; add --optimizer adam --set lr="),
        ((EDGE, "--seeds", "4"), 5, "needs 14 seeds to hold; add --seeds 14"),
        (("spikes-come", "--at", "witdh=3"), 2, "no option of the workload"),
        (("spikes-come", "--at", "lr=0.1"), 2, "belongs to the optimizer; use --optimizer and --set"),
        (("spikes-come", "--set", "lr=0.1"), 2, "give --optimizer MODULE:CLASS as well"),
        (("spikes-come", "--profile", "full"), 2, "a workload is one setting; leave out --profile"),
        (("spikes-come", "--at", "steps=50"), 2, "--at steps=50, --steps 200: give one of them"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    spikecheck: Any, planted: str, capsys: Any, words: tuple[str, ...], code: int, says: str
) -> None:
    assert spikecheck("verify", "--workload", planted, "--executor", "local", "--steps", "200", *words) == code
    err = capsys.readouterr().err
    assert says in " ".join(err.split())
    assert "Traceback" not in err


def test_a_workload_that_raises_is_one_line(spikecheck: Any, planted: str, capsys: Any) -> None:
    broken = planted.replace(":workload", ":broken")
    assert spikecheck("verify", "spikes-come", "--workload", broken, "--executor", "local") == 2
    assert "step 0 raised ValueError: no such batch" in " ".join(capsys.readouterr().err.split())


def test_a_training_without_a_loss_is_asked_only_about_its_losses(spikecheck: Any, planted: str, capsys: Any) -> None:
    silent = planted.replace(":workload", ":silent")
    assert spikecheck("verify", "--workload", silent, "--executor", "local", "--seeds", "14", "--plan") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "edge-of-stability, which needs curvature; give the Training loss=FUNCTION of a batch" in said
    assert said.startswith("spikes-come")


def test_a_claim_of_workloads_alone_says_how_to_ask_it(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck("verify", BATCHES) == 2
    assert "is judged on a workload only; add --workload mlp" in " ".join(capsys.readouterr().err.split())
    assert spikecheck("explain", BATCHES) == 0
    assert "2412.20553" in capsys.readouterr().out
    assert spikecheck("list") == 0
    assert BATCHES in capsys.readouterr().out


@pytest.mark.parametrize("words", [("--steps", "50"), ("--seeds", "20"), ("--at", "size=small")])
def test_options_of_workloads_need_one(spikecheck: Any, capsys: Any, words: tuple[str, ...]) -> None:
    assert spikecheck("verify", "spikes-come", *words) == 2
    assert "belongs to a workload; add --workload NAME" in " ".join(capsys.readouterr().err.split())


def test_the_report_is_json_as_the_schema_has_it(spikecheck: Any, planted: str) -> None:
    import jsonschema  # type: ignore[import-untyped]

    asked(spikecheck, planted, "spikes-come")
    schema = json.loads((Path(json_file.__file__).parent / "schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(Path("report.json").read_text(encoding="utf-8")), schema)

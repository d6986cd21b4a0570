"""`spikecheck replay --workload`: what it refuses. That its lines reproduce is in tests/commands/test_workload_claims.py."""

import pytest

from spikecheck.cli.main import main


@pytest.mark.parametrize(("words", "message"), [
    (("--workload", "mlp"), "no claim is given; add CLAIM"),
    (("spikes-come", "--workload", "gtp"), "no workload is called 'gtp'; did you mean: gpt"),
    (("spikes-come", "--workload", "mlp", "--report", "r.json"), "--workload mlp, --report r.json: a report has its own"),
    (("spikes-come", "--workload", "mlp", "--gave", "holds"), "--gave 'holds': is not OUTCOME,ESTIMATE,SEEDS,EFFECTS"),
    (("spikes-come", "--workload", "mlp", "--steps", "5"), "--steps 5: give 20 or more"),
    (("spikes-kome", "--workload", "mlp"), "no claim is called 'spikes-kome'; did you mean: spikes-come"),
    (("slas", "--workload", "mlp"), "no selected claim applies to the workload mlp: slas needs"),
    (("spikes-come", "--steps", "50"), "--steps 50: belongs to a workload; add --workload NAME, or give --at steps=50"),
])  # fmt: skip
def test_what_cannot_be_replayed_is_one_line(
    words: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["spikecheck", "replay", "--executor", "local", "--quiet", *words])
    with pytest.raises(SystemExit) as left:
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert (left.value.code in {2, 5}, message in said) == (True, True), said

"""`spikecheck list`: every claim once, and a folder of ones own."""

from pathlib import Path
from typing import Any

from spikecheck.harness.discover import discover


def test_every_claim_is_listed_with_its_kind_and_those_of_workloads_last(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck("list") == 0
    shown = capsys.readouterr().out
    own, _, of_workloads = shown.partition("Of workloads only, with verify --workload:")
    words = [line.split() for line in own.splitlines()]
    found = discover()
    assert {row[0]: row[1] for row in words if row and row[0] in found.claims} == {
        claim.id: claim.kind for claim in found.claims.values()
    }
    assert found.of_workloads and all(name in of_workloads and name not in own for name in found.of_workloads)


def test_a_folder_of_ones_own_is_listed_too_and_a_broken_file_is_a_warning(
    spikecheck: Any, capsys: Any, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.py").write_text("1 / 0\n")
    assert spikecheck("list", "--claims-path", "mine") == 0
    told = capsys.readouterr()
    assert "condensation" in told.out and "broken" not in told.out
    assert "warning: claim file left out:" in told.err and "ZeroDivisionError" in told.err

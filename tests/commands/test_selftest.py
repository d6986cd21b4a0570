"""The command prints every world, and leaves with what it found."""

import pytest
from click.testing import CliRunner

from spikecheck.cli.main import cli
from spikecheck.gate import selftest as gates
from spikecheck.harness import selftest


def test_the_command_prints_every_world_and_leaves_with_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "WORLDS", ())
    monkeypatch.setattr(gates, "rows", lambda candidate, reference: ())
    quiet = (gates.World("nothing", 0.0, "never", lambda rows: False, 0.05),)
    monkeypatch.setattr(gates, "WORLDS", quiet)
    kept = CliRunner().invoke(cli, ["selftest", "--rounds", "20"], catch_exceptions=False, standalone_mode=False)
    assert (kept.return_value, kept.stderr) == (0, "self-test: 20 of 20\n")
    assert kept.stdout.splitlines()[:2] == [
        "gate: nothing",
        "  never                           0/20    0.0 %    0.0 to 16.8 %  at most 5 % ✓",
    ]
    monkeypatch.setattr(gates, "WORLDS", (gates.World("nothing", 0.0, "always", lambda rows: True, 0.05),))
    broken = CliRunner().invoke(cli, ["selftest", "--rounds", "20"], catch_exceptions=False, standalone_mode=False)
    assert broken.return_value == 1
    assert "20/20" in broken.stdout
    assert all(len(line) <= 80 for line in broken.stdout.splitlines())

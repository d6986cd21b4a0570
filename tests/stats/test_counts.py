"""Observed rates compared with promised ones, against scipy."""

from spikecheck.stats.counts import counted


def test_a_kept_promise_is_not_called_broken_and_a_broken_one_is() -> None:
    assert not counted("w", "s", 5, 50, promised=0.05).broken
    assert counted("w", "s", 12, 50, promised=0.05).broken
    assert not counted("w", "s", 50, 50).broken

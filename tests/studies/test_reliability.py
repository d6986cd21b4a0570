"""The page of reliability is made of what other pages say and of results; a broken statement is shown as such."""

import json
from pathlib import Path

import pytest

from studies import environments, reliability_page, reliability_rates


def test_every_kind_of_rate_is_there() -> None:
    kinds = {rate.page for rate in reliability_rates.rates()}
    assert kinds == {"gates", "workload-gates", "detectors", "causes", "adam-alarms"}


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (10, 4.795, 18.391)])
def test_a_count_of_alarms_has_garwoods_interval(count: int, low: float, high: float) -> None:
    assert reliability_rates.poisson_interval(count) == pytest.approx((low, high), abs=1e-3)


def test_a_table_is_found_by_its_first_column_and_read_to_its_end(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "| a | b |\n| --- | --- |\n| 0 | 9 |\n\n| c | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\ntext\n| 5 | 6 |\n"
    )
    assert reliability_rates.table(page, "c") == [{"c": "1", "b": "2"}, {"c": "3", "b": "4"}]
    with pytest.raises(ValueError, match="no table"):
        reliability_rates.table(page, "d")


def test_a_fault_is_counted_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability_page, "RESULTS", tmp_path)
    monkeypatch.setattr(reliability_page, "PAGE", tmp_path / "page.md")
    row = {"task": "verify", "end": "SIGKILL", "after": 1.0, "ended_by": -9, "missed": 0, "stored": 3}
    rows = [row | {"faults": [], "pythons": True}, row | {"faults": ["traceback"]}]
    reliability_page.write_text(tmp_path / "crashes.json", json.dumps(rows))
    reliability_page.write_page()
    page = (tmp_path / "page.md").read_text()
    assert "2 runs were ended at a random moment; after 1 of them" in page
    assert "| verify | SIGKILL | 2 | 0 | 1 |" in page
    assert "- traceback: 1 times" in page
    assert "1 of them ended with a traceback of Python's own start" in page


@pytest.mark.parametrize(("times", "broken"), [(5, False), (8, False), (12, True)])
def test_a_share_whose_whole_interval_is_above_what_is_stated_breaks_it(times: int, broken: bool) -> None:
    """Regression: the interval of a share was compared with 1, so that no share was ever broken."""
    assert reliability_rates._share("it", "an error", times, 100, "causes", 0.05).broken is broken


def test_verdicts_under_another_torch_are_compared_seed_by_seed_and_printed() -> None:
    here = {"verdict": "holds", "held": 30, "applicable": 32, "scores": [float(n) for n in range(32)] + [None]}
    there = {"verdict": "fails", "held": 4, "applicable": 32, "scores": [n + 40.0 for n in range(32)]}
    same, other = environments.compared(here, here), environments.compared(here, there)
    assert (same["p_shares"], same["p_effects"]) == (1.0, 1.0)
    assert max(other["p_shares"], other["p_effects"]) < 1e-6
    row = {"python": "3.13.0 2.4.6 1.17.1 2.15.0", "claims": {"catapult": other}, "tests": "9 passed"}
    page = "\n".join(reliability_page._of_torch([row]))
    assert "| 3.13.0 | 2.15.0 | catapult | holds | fails | 30 of 32 | 4 of 32 |" in page
    assert "torch 2.15.0: 9 passed." in page

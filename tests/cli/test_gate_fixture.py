"""The fixture `spikecheck.gate` on a workload: tuned rates, a baseline's range and rows, and refusals in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from spikecheck.cli.gate_fixture import FixtureGate
from spikecheck.core.errors import UsageError
from tests.gate.test_workload_run import OWN, run

Write = Callable[[str], str]
RANGE = "lr=1e-2..1e1"
ROWS = "diverged,final loss,best loss,first steps"


@pytest.mark.usefixtures("one_core")
def test_each_side_is_tuned(write: Write) -> None:
    """A tenth of the rate is no fault at ten times the rate, as with `spikecheck gate --tune`."""
    own = write(OWN)
    conditions = {"workload": f"{own}:workload", "steps": 20}
    asked = FixtureGate(
        f"{own}:Late", {}, against="gd", conditions=conditions, seeds=4, tune=RANGE, rows=["final loss", "best loss"]
    )
    card = asked.held("store")
    assert {row.name for row in card.rows} == {"final loss", "best loss"}
    assert card.candidate.lr == pytest.approx(10 * card.reference.lr, rel=1e-3)
    assert card.tuned["candidate"].best == card.candidate.lr


@pytest.mark.parametrize(("arguments", "message"), [
    ({"numbers": {"lr": 0.1}, "tune": RANGE}, "lr=0.1, tune='lr=0.01..10': the rate is given or tuned; leave out one"),
    ({"against_set": {"lr": 0.1}, "tune": RANGE}, "against_set lr=0.1, tune='lr=0.01..10': the rate is given or tuned"),
    ({}, 'lr: no rate is given; add lr=0.01, or tune="lr=1e-4..1e-1" for a workload'),
    ({"tune": "lr=1..0.1"}, "the range is reversed or empty"),
    ({"numbers": {"lr": 0.1}, "rows": ","}, "--rows ',': names no row; give some of: "),
    ({"tune": RANGE, "conditions": {}}, "only trainings of --workload are tuned"),
])  # fmt: skip
def test_rates_that_cannot_be_are_said_in_one_line(arguments: dict[str, object], message: str) -> None:
    usual: dict[str, object] = {"numbers": {}, "against": "gd", "conditions": {"workload": "mlp"}}
    with pytest.raises(UsageError) as refused:
        FixtureGate("gd", **(usual | arguments)).held("store")  # type: ignore[arg-type]
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("all_imported", "one_core")
def test_a_users_own_suite_meets_a_tuned_baseline(write: Write, pytester: pytest.Pytester) -> None:
    """Range and rows are the baseline's; a rate beside its range is refused."""
    own = write(OWN)
    (pytester.path / f"{own}.py").write_text(OWN)  # pytester works in a folder of its own
    where = ("--workload", f"{own}:workload", "--at", "steps=20", "--tune", RANGE, "--rows", ROWS)
    base = ("--baseline", "base.json", "--update-baseline", "--reason", "first")
    code, _, err = run(*where, *base, "--optimizer", "gd")
    assert code == 0, err
    pytester.makepyfile(
        test_mine=(
            f"from {own} import Late\n"
            "from torch.optim import SGD\n\n\n"
            "def test_same(spikecheck):\n"
            "    card = spikecheck.gate(SGD, baseline='base.json')\n"
            "    assert card.tuned['candidate'].best == card.reference.lr\n"
            "    assert {row.name for row in card.rows} == {'diverged', 'final loss', 'best loss', 'first steps'}\n\n\n"
            "def test_late(spikecheck):\n"
            "    spikecheck.gate(Late, baseline='base.json')\n\n\n"
            "def test_rate(spikecheck):\n"
            "    spikecheck.gate(SGD, lr=0.1, baseline='base.json')\n"
        )
    )
    done = pytester.runpytest_inprocess("-p", "no:randomly", f"--spikecheck-store={Path('store').resolve()}")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["*lr=0.1, tune='lr=0.01..10': the rate is given or tuned; leave out one*"])


def test_refusals_of_a_users_suite_are_one_error_in_pythons_words(
    all_imported: None, pytester: pytest.Pytester
) -> None:
    """Regression: each was printed twice, with the options of a command line."""
    pytester.makepyfile(
        test_mine=(
            "from torch.optim import Adam\n\n\n"
            "def test_rate(spikecheck):\n"
            "    spikecheck.gate(Adam, lr=True, against='gd')\n\n\n"
            "def test_tune(spikecheck):\n"
            "    spikecheck.gate(Adam, tune='lr=1e-4..1e-1', against='gd')\n"
        )
    )
    done = pytester.runpytest_inprocess("-p", "no:randomly")
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines([
        "lr=True: is not a number; give a learning rate such as lr=0.01",
        'tune="lr=0.0001..0.1": only trainings of a workload are tuned; add conditions={"workload": "gpt"} or one of your *',
    ])  # fmt: skip
    done.stdout.no_fnmatch_line("*During handling*")
    done.stdout.no_fnmatch_line("*SettingError*")

"""A harness whose answers are planted, for tests of what commands make of them."""

from collections.abc import Sequence

from spikecheck.core.errors import Stopped
from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.core.recipe import Environment
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict

ONE = ("verify", "--claim", "condensation")
TWO = ("verify", "--claim", "condensation", "--claim", "slas")
HOLDS, FAILS, UNDECIDED, INVALID = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED, Outcome.INVALID


def judgement(outcome: Outcome, setting: Setting | None = None) -> Judgement:
    return Judgement(
        setting=setting or Setting(),
        outcome=outcome,
        drawn=64,
        applicable=64,
        held=60,
        low=0.86,
        high=0.98,
        required=0.8,
        level=0.95,
        effect=Effect(unit="ratio", median=0.5, low=0.4, high=0.6),
    )


def verdict(name: str, kind: str, replicates: Outcome, generalises: Outcome) -> Verdict:
    return Verdict(
        id=name,
        kind="law" if kind == "law" else "tendency",
        says="a statement",
        where="somewhere",
        rule="ratio < 1",
        replicates=replicates,
        generalises=generalises,
        passed=replicates is HOLDS and not (kind == "law" and generalises is FAILS),
        reference=judgement(replicates),
        control=judgement(FAILS),
        control_says="a placebo",
        settings_tried=1,
        settings_triggered=1,
        numerical_failures=0,
        runs_trained=64,
        runs_reused=0,
        seconds=1.0,
        definitions={},
        specification="0",
    )


class Lab:
    """A laboratory in which nothing is trained."""

    environment = Environment(torch="0", device="none", threads=1)
    stopped: Stopped | None = None
    stores = True

    def runs(self, recipes: Sequence[object]) -> dict[object, object]:
        return {}

    def each(self, blocks: Sequence[Sequence[object]]) -> list[dict[object, object]]:
        return [{} for _ in blocks]

    def is_stored(self, recipe: object) -> bool:
        return False

    def forget(self) -> None:
        pass

    def anticipate(self, rounds: object, seconds: float = 0.0) -> None:
        """Nothing is trained, so nothing ahead."""

    def close(self) -> None:
        """Nothing was started."""

"""One question about a claim as a test's result: passed, failed or skipped, with the words and numbers for it."""

from dataclasses import dataclass
from typing import Literal

from spikecheck.core.verdict import Judgement, Outcome, Verdict

_OF_A_CONTROL = {
    Outcome.FAILS: "",
    Outcome.HOLDS: "the claim's rule holds where it must not, so the check has no teeth",
    Outcome.UNDECIDED: "the negative control has not clearly failed",
    Outcome.UNTRIGGERED: "a control that never triggers is no control",
    Outcome.INVALID: "",
}


@dataclass(frozen=True)
class Answer:
    """One question's part of a verdict, in words."""

    question: str
    verdict: Verdict
    again: str
    """The command line that shows it once more."""

    @property
    def outcome(self) -> Outcome:
        """The control's is that of the control itself: it has to fail."""
        if self.question == "control":
            return self.verdict.control.outcome
        return self.verdict.replicates if self.question == "replicates" else self.verdict.generalises

    @property
    def judgement(self) -> Judgement:
        """What the outcome rests on: the reference setting, the weakest one found, or the control."""
        if self.question == "generalises":
            return self.verdict.weakest or self.verdict.reference
        return self.verdict.control if self.question == "control" else self.verdict.reference

    @property
    def headline(self) -> str:
        """The answer as one line."""
        said = f"{self.verdict.id}::{self.question}: {self.outcome.value.upper()}"
        return " - ".join(filter(None, [said, self._meaning()]))

    def result(self, strict: bool) -> Literal["passed", "failed", "skipped"]:
        """What pytest makes of it; the whole adds up to the exit code of `spikecheck verify`.

        Only a refutation makes `generalises` fail, for a tendency only under `strict`; what could not be found out is
        skipped there. The other two must be answered, and the right way.
        """
        wanted = Outcome.FAILS if self.question == "control" else Outcome.HOLDS
        is_edge = self.outcome is Outcome.FAILS and self.verdict.kind == "tendency"
        if self.outcome is wanted or (self.question == "generalises" and is_edge and not strict):
            return "passed"
        unsettled = self.outcome in {Outcome.UNDECIDED, Outcome.UNTRIGGERED}
        return "skipped" if self.question == "generalises" and unsettled and not strict else "failed"

    def properties(self, profile: str, seed: int) -> list[tuple[str, object]]:
        """For JUnit and other reports; plain values, since pytest-xdist sends them between processes."""
        shown, verdict = self.judgement, self.verdict
        numbers = {
            "drawn": shown.drawn,
            "applicable": shown.applicable,
            "held": shown.held,
            "low": shown.low,
            "high": shown.high,
            "required": shown.required,
            "level": shown.level,
            "effect": shown.effect.median,
            "unit": shown.effect.unit,
        }
        said = {
            "claim": verdict.id,
            "kind": verdict.kind,
            "question": self.question,
            "outcome": self.outcome.value,
            **numbers,
            "at": self._place(),
            "specification": verdict.specification,
            "profile": profile,
            "seed": seed,
            "again": self.again,
        }
        return [(f"spikecheck_{name}", value) for name, value in said.items()]

    def text(self) -> str:
        """Everything a reader needs to know, and the line that shows it again."""
        shown, says = self.judgement, self.verdict.says
        rows = {
            "claim": says if self.question != "control" else f"must not hold: {self.verdict.control_says}",
            "rule": self.verdict.rule,
            "at": self._place(),
            "held in": (
                f"{shown.held} of {shown.applicable} seeds that it applies to ({shown.drawn} trained): "
                f"share in [{shown.low:.3f}, {shown.high:.3f}], {shown.required:g} required at {shown.level:.3g}"
            ),
            "effect": _effect(shown),
            "numbers failed in": f"{shown.numerical_failures} seeds" if shown.numerical_failures else "",
            "again": self.again,
        }
        return "\n".join([self.headline, *(f"  {name}: {text}" for name, text in rows.items() if text)])

    def _meaning(self) -> str:
        if self.question == "control":
            return _OF_A_CONTROL[self.outcome]
        if self.outcome is Outcome.FAILS and self.question == "generalises":
            return f"it stops holding at {self._place()}"
        return self.verdict.reason

    def _place(self) -> str:
        differs = self.judgement.setting.differences(self.verdict.reference.setting)
        return ", ".join(f"{name}={value}" for name, value in differs.items()) or "the reference setting"


def _effect(judgement: Judgement) -> str:
    effect = judgement.effect
    if effect.median is None or effect.low is None or effect.high is None:
        return ""
    return f"median {effect.median:.3g} [{effect.low:.3g}, {effect.high:.3g}] {effect.unit}"

"""In the terminal: whether a replayed judgement is the recorded one, and what differs from then."""

from rich.console import Console

from spikecheck.core.reproduction import Degree, Reproduction, decisive
from spikecheck.core.workload_setting import workload_of
from spikecheck.report.page import Page
from spikecheck.report.sanitize import inert

_STYLES = {Degree.BITWISE: "bold green", Degree.STATISTICALLY: "bold green", Degree.NOT: "bold magenta"}


def render_reproduction(reproduction: Reproduction, claim: str, console: Console) -> None:
    """Print how well a recorded judgement is reproduced, and what differs. `claim` is the claim's id."""
    page = Page(console)
    page.row("recorded", _said(reproduction), _STYLES[reproduction.degree])
    if reproduction.differs is not None:
        page.row("differs", "; ".join(map(inert, reproduction.differs)) or _nothing(reproduction.degree))
    elif reproduction.degree is not Degree.BITWISE and workload_of(reproduction.now.setting) is None:
        page.row("differs", f"to see, give the report: spikecheck replay {inert(claim)} --report REPORT.json", "dim")


def _said(reproduction: Reproduction) -> str:
    recorded, now = reproduction.recorded, reproduction.now
    if reproduction.degree is Degree.BITWISE:
        return f"reproduced bitwise: {now.outcome}, and all seeds' effects have the recorded bits"
    if not reproduction.same_seeds:
        return "NOT reproduced: these are other seeds than recorded, so the setting, root seed or number of seeds was changed"
    then, here = f"{_what(reproduction)} {_number(recorded.estimate)}", _here(reproduction)
    if reproduction.degree is Degree.STATISTICALLY:
        return f"reproduced statistically: {now.outcome}; recorded {then} lies within {here}; bits differ"
    return f"NOT reproduced: recorded {recorded.outcome} with {then}; now {now.outcome} with {here}"


def _what(reproduction: Reproduction) -> str:
    estimand = reproduction.now.estimand
    return "mean" if estimand == "equivalence" else estimand


def _here(reproduction: Reproduction) -> str:
    estimate, low, high = decisive(reproduction.now)
    return f"{_number(estimate)} ({_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _nothing(degree: Degree) -> str:
    if degree is Degree.BITWISE:
        return "nothing"
    return (
        "nothing that the report records: its numbers were edited (see spikecheck recheck), or code or hardware changed"
    )

"""The gallery: every claim of the reproduction with its answer and its figure, made from the JSON report alone."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

from spikecheck.report import json_file
from spikecheck.report.claim_figure import svg
from spikecheck.report.outcomes import LOOKS, word_of
from spikecheck.report.sanitize import inert
from spikecheck.report.scope_figure import drawn
from spikecheck.report.summary import answer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from spikecheck.core.scope import Scope
    from spikecheck.core.verdict import Report, Verdict

REPORTS = Path(__file__).parents[2] / "reports"
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#$"})


def page(report: Report, findings: str) -> str:
    """The gallery as Markdown; `findings` is the text that says what the verdicts mean."""
    rows = "\n".join(_row(verdict) for verdict in report.claims)
    table = f"| claim | replicates | held | generalises | in all |\n|---|---|---|---|---|\n{rows}"
    return "\n\n".join([table, *(_section(verdict, findings) for verdict in report.claims)])


def _row(verdict: Verdict) -> str:
    held = f"{verdict.reference.held}/{verdict.reference.applicable}"
    replicates, generalises = (f"{LOOKS[found].sign} {found}" for found in (verdict.replicates, verdict.generalises))
    return f"| [{verdict.id}](#{verdict.id}) | {replicates} | {held} | {generalises} | {word_of(verdict)} |"


def _section(verdict: Verdict, findings: str) -> str:
    said = [
        f"## {verdict.id}",
        f"> {_plain(verdict.says)}\n>\n> {_plain(verdict.where)}",
        f"**Replicates:** {verdict.replicates}. **Generalises:** {verdict.generalises}. {_plain(answer(verdict))}",
    ]
    if verdict.reference.applicable:
        said.append(f"```{{raw}} html\n<figure>{_fitting(svg(verdict))}</figure>\n```")
    said += [_map(verdict, scope) for scope in verdict.scopes]
    return "\n\n".join([*said, _further(verdict, findings)])


def _fitting(picture: str) -> str:
    """As wide as there is room, on a phone too."""
    return picture.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def _map(verdict: Verdict, scope: Scope) -> str:
    """A map as a picture of its own: several in one page would share identifiers."""
    picture = base64.b64encode(drawn(scope, verdict.reference.setting, verdict.id, "svg")).decode()
    says = f"{verdict.id}: share of seeds that held, over {inert(scope.x.name)} and {inert(scope.y.name)}"
    return f'```{{raw}} html\n<img alt="{says}" src="data:image/svg+xml;base64,{picture}">\n```'


def _further(verdict: Verdict, findings: str) -> str:
    """Where there is more about it."""
    report = f'<a href="reproduction.html#claim-{verdict.id}">in the report</a>'
    heading = _heading_about(verdict.id, findings)
    return f"More: {report}" + (f", [{heading}](findings.md#{_anchor(heading)})" if heading else "") + "."


def _heading_about(claim: str, findings: str) -> str:
    """The heading of the first section that is about the claim; empty where none is."""
    for section in re.split(r"^## ", findings, flags=re.MULTILINE)[1:]:
        if f"`{claim}`" in section or section.lower().startswith(claim):
            return section.partition("\n")[0]
    return ""


def _anchor(heading: str) -> str:
    """As GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _plain(text: str) -> str:
    return inert(text).translate(_SPECIAL)


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == "gallery":
        report, findings = REPORTS / "reproduction.json.gz", REPORTS / "findings.md"
        app.env.note_dependency(str(report))
        app.env.note_dependency(str(findings))
        source[0] += "\n" + page(json_file.read(report), findings.read_text(encoding="utf-8"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the gallery."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}

"""Why a loss spiked, as one HTML file that needs nothing else: a pure function of the answer."""

from markupsafe import Markup

from spikecheck.core.why import Answer
from spikecheck.report.sanitize import inert
from spikecheck.report.web_page import rendered
from spikecheck.report.why_figure import why_svg
from spikecheck.report.why_words import (
    COLUMNS,
    MEANING,
    cells,
    forks_say,
    is_told,
    layers_say,
    not_applying,
    overshoot_says,
    remedies_say,
    spike_says,
)


def why_html(answer: Answer) -> str:
    """The whole answer."""
    return rendered(
        "why.html.j2",
        ("theme.js",),
        answer=answer,
        decision="holds" if is_told(answer) else "undecided",
        about=[line for line in (spike_says(answer), forks_say(answer)) if line],
        figure=Markup(why_svg(answer)),
        columns=COLUMNS,
        rows=[(inert(arm.question), cells(arm)) for arm in answer.arms],
        meaning=MEANING,
        lists=[
            ("Remedies that were tried, the cheapest first", remedies_say(answer)),
            ("Before the spike", [*filter(None, [overshoot_says(answer)]), *layers_say(answer, 8)]),
            ("Arms that do not apply", not_applying(answer)),
            ("What this cannot tell", answer.notes),
        ],
    )

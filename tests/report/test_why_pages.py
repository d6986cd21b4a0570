"""An answer in every form: escaped, within the width, the same again, and drawn even where little is known."""

import re
from importlib.resources import files
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from spikecheck.core.why import Answer, ArmResult, Cause, Effect, Fork, LayerSign, Outcome, Ranked, Signs, Spike
from spikecheck.report import json_file
from spikecheck.report.page import Page
from spikecheck.report.why_html import why_html
from spikecheck.report.why_markdown import why_markdown
from spikecheck.report.why_page import render_why
from spikecheck.why.words import notes, sentence

HOSTILE = '\x1b[31m"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} $\\frac \u202e'


def fork(number: int, height: float, *, removed: bool | None) -> Fork:
    losses = tuple(1.0 + (height / 10 if 30 <= step < 36 else 0.0) for step in range(60))
    return Fork(number=number, height=height, spikes=not removed, removed=removed, late=1.0, losses=losses)


def arm(name: str, effect: Effect, cause: str | None, *, height: float = 20.0, **other: Any) -> ArmResult:
    removed = None if cause is None else effect is Effect.REMOVES
    made = () if effect is Effect.NOT_APPLICABLE else tuple(fork(n, height, removed=removed) for n in range(4))
    figures = {"hits": len(made) if removed is not False else 0, "height": height if made else None, "cost": 0.01}
    return ArmResult(name=name, question=f"{name}?", cause=cause, effect=effect, forks=made, **figures | other)


def answer(name: str = "half the rate", **changes: Any) -> Answer:
    arms = (
        arm("placebo", Effect.LEAVES, None, cost=None),
        arm(name, Effect.REMOVES, Cause.LAG, height=0.3, claimed=True, p=0.004, p_holm=0.01, remedy=f"use {name}"),
        arm("other batches", Effect.LEAVES, Cause.DATA),
        arm("float32", Effect.NOT_APPLICABLE, Cause.ROUNDING, reason=f"because {name}", cost=None),
    )
    given: dict[str, Any] = {
        "outcome": Outcome.CAUSE,
        "sentence": "",
        "cause": Cause.LAG,
        "causes": (Ranked(cause=Cause.LAG, arms=(name,)),),
        "spike": Spike(onset=130, peak=133, over=136, height=20.0, level=1.0, spread=0.1, loss=3.0, benign=False),
        "start": 100,
        "end": 160,
        "arms": arms,
        "signs": Signs(
            overshoot=1.3,
            overshoots=tuple((step, 0.5 + step / 200) for step in range(100, 130)),
            layers=(LayerSign(name=f"layer {name}", surprise=14.0, usual=1.0),),
        ),
        "losses": tuple((step, 1.0 if step % 7 else None) for step in range(40, 160)),
        "command": f"spikecheck diagnose --workload {name}",
        "environment": {"spikecheck": "0.2.0", "name": name},
    }
    whole = Answer(**given | changes)
    return whole.model_copy(update={"sentence": sentence(whole), "notes": notes(whole)})


EMPTY = Answer(outcome=Outcome.NO_SPIKE, sentence="No loss spike.")
FORMS = [
    answer(),
    answer(losses=()),
    answer(signs=Signs(missing="nothing could be watched")),
    answer(outcome=Outcome.NO_CAUSE, cause=None, causes=()),
    answer(outcome=Outcome.STOPPED, arms=(), cause=None, causes=()),
    answer(losses=tuple((step, step - 80.0) for step in range(40, 160))),
    EMPTY,
]


def shown(found: Answer, width: int, encoding: str = "utf-8") -> str:
    out = StringIO()
    console = Console(file=out, width=width, color_system=None)
    page = Page(console)
    page.ascii_only = encoding != "utf-8"
    render_why(found, page)
    return out.getvalue()


def test_the_sentence_says_cause_layer_and_counts() -> None:
    assert answer().sentence == (
        "The loss spike at step 130 was caused by steps too large for the curvature, because the optimizer's second moment "
        "lagged behind the gradients (most in layer half the rate: |g|/√v = 14, 1 before). In forks of the training from step "
        "100 on, the spike is gone in 4 of 4 with half the rate; in 0 of 4 with other batches; with the placebo (weights "
        "nudged by 1e-6) it comes again in 4 of 4."
    )


def test_other_batches_alone_say_from_where() -> None:
    arms = (
        arm("placebo", Effect.LEAVES, None),
        arm("other batches", Effect.REMOVES, Cause.DATA, claimed=True),
        arm("batches left out", Effect.LEAVES, Cause.DATA),
    )
    causes = (Ranked(cause=Cause.DATA, arms=("other batches",)),)
    assert answer(arms=arms, cause=Cause.DATA, causes=causes, batches=(126, 135)).sentence == (
        "The loss spike at step 130 was caused by the data: batches from step 100 on, and not only the last ones before the "
        "spike. In forks of the training from step 100 on, the spike is gone in 4 of 4 with other batches; in 0 of 4 with "
        "batches left out; with the placebo (weights nudged by 1e-6) it comes again in 4 of 4."
    )


def test_an_arm_that_removes_the_spike_and_names_no_cause_is_not_denied() -> None:
    """Regression: the answer was "no arm removes the spike" beside a table in which beta2 = 0.9 removes it."""
    removing = answer("beta2 = 0.9", outcome=Outcome.NO_CAUSE, cause=None, causes=())
    assert "what removes it (beta2 = 0.9) does not show a cause by itself" in removing.sentence
    leaving = (arm("placebo", Effect.LEAVES, None), arm("other batches", Effect.LEAVES, Cause.DATA))
    nothing = answer(outcome=Outcome.NO_CAUSE, cause=None, causes=(), arms=leaving)
    assert (
        "none of the changes that were tried removes it. In forks of the training from step 100 on" in nothing.sentence
    )


def test_an_arm_that_was_not_decided_is_counted_too() -> None:
    arms = (*answer().arms, arm("eps = 1e-3", Effect.UNDECIDED, Cause.LAG, hits=2))
    assert "in 2 of 4 with eps = 1e-3; with the placebo" in answer(arms=arms).sentence


def test_mixed_counts_are_said_to_be_chance_except_of_other_batches() -> None:
    arms = (*answer().arms, arm("eps = 1e-3", Effect.UNDECIDED, Cause.LAG, hits=2))
    assert any("whether they spike (eps = 1e-3 2 of 4): chance has a part" in note for note in answer(arms=arms).notes)
    others = (*answer().arms[:2], arm("other batches", Effect.LEAVES, Cause.DATA, hits=1))
    assert not any("chance has a part" in note for note in (*answer(arms=others).notes, *answer().notes))


def test_a_chaotic_answer_says_how_often_the_placebo_spikes() -> None:
    arms = (arm("placebo", Effect.UNDECIDED, None, hits=1),)
    chaotic = answer(outcome=Outcome.CHAOTIC, cause=None, causes=(), arms=arms)
    assert "it comes again in 1 of 4 forks only" in chaotic.sentence


@pytest.mark.parametrize("found", FORMS)
@pytest.mark.parametrize("width", [80, 100, 120])
def test_lines_keep_to_the_width(found: Answer, width: int) -> None:
    text = shown(found, width)
    assert max(map(len, text.splitlines())) <= min(width, 100)
    assert shown(found, width, "ascii").isascii() or "√" in text


@pytest.mark.parametrize("found", FORMS)
def test_every_form_can_be_written_and_is_the_same_again(found: Answer) -> None:
    assert why_html(found) == why_html(found)
    assert why_markdown(found) == why_markdown(found)
    assert Answer.model_validate_json(json_file.text(found)) == found
    assert ("<svg" in why_html(found)) == bool(found.losses)


def test_hostile_names_do_nothing() -> None:
    found = answer(HOSTILE)
    page = why_html(found)
    assert (
        page.count("<script>") == 1
        and "<img" not in page
        and "{{ 7" in page
        and "49" not in re.sub(r"<svg.*</svg>", "", page, flags=re.DOTALL)
    )
    for text in (page, why_markdown(found), shown(found, 80)):
        assert "\x1b" not in text and "\u202e" not in text
    assert "<script>" not in re.sub(r"\\<", "", why_markdown(found)).split("`spikecheck")[0]


def test_a_wide_table_scrolls_by_itself_and_nothing_is_fetched() -> None:
    page = why_html(answer("x" * 300))
    assert '<div class="scroll" role="region" tabindex="0"' in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert re.search(r"<svg[^>]* viewBox=", page)


def test_the_schema_is_the_one_that_ships() -> None:
    assert files("spikecheck.report").joinpath("why.schema.json").read_text() == json_file.why_schema_text()

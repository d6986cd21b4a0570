"""A claim's block and the report around it: complete, honest, and readable at every width."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from rich.console import Console

from spikecheck.core.judgement import Companion, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Trace, Verdict
from spikecheck.report.summary import headline
from spikecheck.report.terminal import render_judgement

Make = Callable[..., Any]
OUTCOMES = list(Outcome)
BOTH_BOUNDS = "both bounds must be > 0 and the mean itself >= 0.02 (fails if both bounds are less)"


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize(("replicates", "generalises"), list(product(OUTCOMES, OUTCOMES)))
def test_only_the_replay_line_is_wider_than_the_terminal(
    shown: Make, verdict: Make, guarded: Make, width: int, replicates: Outcome, generalises: Outcome
) -> None:
    old = verdict(replicates, generalises)
    estimand = ("share", "mean", "median", "equivalence")[OUTCOMES.index(generalises) % 4]
    for found in (old, guarded(replicates, generalises, estimand)):
        one_fits(shown, verdict, found, width)


def one_fits(shown: Make, verdict: Make, found: Verdict, width: int) -> None:
    for text in (shown(found, width=width), shown(found, verdict(id="slas"), width=width)):
        wide = [line for line in text.splitlines() if len(line) > width]
        assert all(line.startswith("spikecheck replay") for line in wide)
        assert re.search(r"^ +0 [·├─●┤]{12,41} 1$", text, re.MULTILINE)  # the bar is not broken
        assert found.replicates.upper() in text
        assert found.generalises.upper() in text


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_is_a_word_and_a_sign_without_colour(shown: Make, verdict: Make, outcome: Outcome) -> None:
    plain = shown(verdict(outcome), force_terminal=True, color_system=None)
    assert "\x1b" not in plain
    assert re.search(rf"[✓✗?∅!] {outcome.upper()}", plain)


def test_settings_beside_the_domain_and_further_effects_have_rows(shown: Make, guarded: Make) -> None:
    found = guarded()
    further = Companion(effect=found.reference.effect.model_copy(update={"unit": "directions"}), measured=60, held=7)
    text = shown(
        found.model_copy(
            update={
                "reference": found.reference.model_copy(update={"companions": (further,)}),
                "beside": {"setting B": 2, "[red]c\x1b[2J": 1},
            }
        ),
        width=100,
    )
    told = " ".join(text.split())
    fresh = (
        "holds, 60 of 64 (64 trained), share 86 % to 98 %, mean 0.0431 (0.0312 to 0.055); negative control 12 of 64,"
    )
    assert f"besides setting B: {fresh} exceeded by 0.71 (0.55 to 0.83) [red]c[2J: {fresh}" in told
    assert "beside directions: mean 0.0431 (0.0312 to 0.055), median 0.0412 (0.02 to 0.0631); as predicted in 7" in told


def test_of_a_setting_beside_that_only_a_search_has_seen_no_figure_is_quoted(shown: Make, verdict: Make) -> None:
    """Reports from before answers had controls: their places are of the search, whose seeds decide nothing."""
    text = shown(verdict(beside={"setting B": 1}))
    assert re.search(r"besides +setting B: not judged on fresh seeds$", text, re.MULTILINE)


def test_a_setting_beside_whose_data_are_missing_says_so_and_has_no_figures(
    shown: Make, guarded: Make, unreached: Judgement
) -> None:
    found = guarded()
    missing = found.answers[2].model_copy(
        update={"judgement": unreached, "control": None, "contrast": None, "reason": "Not asked: mnist: no such file."}
    )
    text = shown(found.model_copy(update={"answers": (*found.answers[:2], missing)}))
    assert re.search(r"^ +besides +setting B: Not asked: mnist: no such file$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("estimand", "said"),
    [
        ("share", "the share of seeds, which must be at least 80 %; each bound at 95 %"),
        ("mean", f"the mean; {BOTH_BOUNDS}; each bound at 95 %"),
        ("median", "the median; both bounds must be > 0; each bound at 95 %"),
        ("equivalence", "the mean; both bounds must be >= -0.1 and <= 0.1; each bound at 95 %"),
    ],
)
def test_share_and_average_are_both_shown_and_one_of_them_decides(
    shown: Make, guarded: Make, estimand: str, said: str
) -> None:
    text = shown(guarded(estimand=estimand), width=100)
    assert " ".join(text.split()).count(f" decides {said} ") == 2
    assert text.count("held in 60 of 64 applicable (64 trained): share 86 % to 98 %") == 2
    average = "mean 0.0431 (0.0312 to 0.055), median 0.0412 (0.02 to 0.0631)"
    assert len(re.findall(rf"^ +effect +gain of mean \|cos\|: {re.escape(average)}$", text, re.MULTILINE)) == 2
    assert ("▲" in text) is ("required: 80 %" in text) is (estimand == "share")


def test_further_averages_that_decide_as_well_have_rows(shown: Make, guarded: Make, condition: Make) -> None:
    found = guarded(estimand="mean")
    judged = found.reference.model_copy(update={"conditions": (condition(), condition(Outcome.UNDECIDED))})
    first = found.answers[0].model_copy(update={"judgement": judged})
    text = shown(found.model_copy(update={"reference": judged, "answers": (first, *found.answers[1:])}), width=100)
    told = " ".join(text.split())
    assert "and holds: rise of mean |cos|: mean 0.0431 (0.0312 to 0.055), median" in told
    asked = f"in 64 seeds; the mean decides; {BOTH_BOUNDS}"
    assert f"{asked} undecided: rise of mean" in told
    assert "undecided: rise of mean |cos|: mean 0.0131 (-0.0019 to 0.0281)" in told


def test_reach_leads_and_what_the_search_found_follows(shown: Make, guarded: Make) -> None:
    text = shown(guarded(generalises=Outcome.FAILS), width=100)
    told = " ".join(text.partition("Where does it hold?")[2].split())
    assert told.startswith(
        "generalises ✗ FAILS reach holds in 19 of 24 settings sampled from its domain: 79 % of it (58 to 93 %); 3 more "
        "settings met the precondition in too few seeds each judged by its estimate on 16 seeds, without an interval; the "
        "domain has 1,024 settings breaks at width=50 (reference: 20), lr=0.05 (reference: 0.1) the smallest "
        "counterexample found, on fresh seeds: ✗ FAILS seeds held in 12 of 64"
    )
    places = [told.index(f" {label} ") for label in ("reach", "breaks at", "planted", "again", "besides", "tried")]
    assert places == sorted(places)


def test_the_contrast_stands_beside_the_control_and_a_planted_effect_below(shown: Make, guarded: Make) -> None:
    told = " ".join(shown(guarded(), width=100).split())
    assert (
        "control ✓ failed, as it must: 12 of 64 seeds held, share 12 % to 28 %; mean 0.0021 (-0.0109 to 0.0151) "
        "where it must not hold: two calm twins, at 1/4 and at 1/8 of the learning rate: neither goes through the spike "
        "contrast ✓ exceeds its negative control by 0.71 (0.55 to 0.83); must exceed 0.2 "
        "planted ✓ planted effect found in 60 of 64: mean 0.0431 (0.0312 to 0.055) "
        "where it must hold: weights turned together by 0.05"
    ) in told
    unreached = " ".join(shown(guarded(answers=(), positive=None, contrast=None)).split())
    assert "planted where it must hold: weights" in unreached
    assert "contrast" not in unreached


def test_an_undecided_answer_says_how_many_seeds_would_decide(shown: Make, guarded: Make) -> None:
    text = shown(guarded(Outcome.UNDECIDED, Outcome.UNDECIDED), width=100)
    said = "about 420 seeds would decide if share and spread stay as they are"
    assert len(re.findall(rf"^ +undecided +{said}$", text, re.MULTILINE)) == 2
    assert f"Whether it replicates is undecided: {said}" in " ".join(text.split())
    assert "more seeds would tell" not in text
    assert "would decide" not in shown(guarded())


def test_a_rule_that_may_have_been_chosen_for_its_data_is_marked(shown: Make, guarded: Make) -> None:
    mark = "rule not shown to be written before its data"
    for registered in ("with", "not judged"):
        text = shown(guarded(registered=registered), guarded(id="slas", registered="before"))
        assert len(re.findall(f"^  {mark}$", text, re.MULTILINE)) == 1
        assert "Rule not shown to be written before its data: condensation\n" in text
    assert mark not in shown(guarded()).lower()


def test_quotation_marks_stand_around_quotes_alone(shown: Make, guarded: Make) -> None:
    """Regression: the statement, which is ours, stood in quotation marks."""
    for outcome in OUTCOMES:
        assert '"' not in shown(guarded(outcome, outcome))


@pytest.mark.parametrize(("width", "heads"), [
    (80, ["claim", "replicates", "held", "generalises", "in", "all"]),
    (100, ["claim", "replicates", "held", "average", "control", "generalises", "in", "all"]),
    (120, ["claim", "replicates", "held", "average", "control", "generalises", "reach", "in", "all"]),
])  # fmt: skip
def test_the_table_has_what_there_is_room_for(shown: Make, guarded: Make, width: int, heads: list[str]) -> None:
    long = guarded(Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, "median", id="slas-as-progressive-sharpening")
    table = shown(long, guarded(), width=width).partition("All claims")[2].splitlines()[1:4]
    assert table[0].split() == heads
    assert table[1].split()[-1] == "UNTRIGGERED"
    assert all(len(row.rstrip()) <= width for row in table)
    assert ("median 0.0412" in table[1], "19/24" in table[1]) == (width >= 100, width >= 120)


def test_a_claim_that_fails_at_the_reference_says_so_and_where_it_holds(shown: Make, verdict: Make) -> None:
    found = verdict(Outcome.FAILS, Outcome.FAILS)
    at_reference = found.counterexample.model_copy(update={"setting": found.reference.setting, "differs": {}})
    text = shown(
        found.model_copy(update={"weakest": None, "elsewhere": found.tried[0], "counterexample": at_reference})
    )
    assert re.search(r"breaks at +the reference setting itself", text)
    assert re.search(
        r"elsewhere +width=50 .*\n.*\n? *the strongest setting found, on fresh seeds: ✓ HOLDS$", text, re.MULTILINE
    )


def test_the_strongest_setting_found_may_fail_and_then_says_so(shown: Make, verdict: Make, judgement: Make) -> None:
    """Regression: it had no outcome, and read as if the claim held there."""
    elsewhere = judgement(Outcome.FAILS, Setting(width=50))
    text = shown(verdict(Outcome.FAILS, Outcome.FAILS, weakest=None, elsewhere=elsewhere))
    assert re.search(r"^ +the strongest setting found, on fresh seeds: ✗ FAILS$", text, re.MULTILINE)


def test_what_is_required_stands_on_one_line(shown: Make, verdict: Make) -> None:
    """Regression: "bounds at 97.5 %" ran over the edge of 80 columns while there was room left of the mark."""
    found = verdict()
    strict = found.reference.model_copy(update={"level": 0.975, "required": 0.8})
    text = shown(found.model_copy(update={"reference": strict}))
    assert re.search(r"^ +required: 80 %, bounds at 97.5 % ▲$", text, re.MULTILINE)


def test_the_answer_comes_first(shown: Make, verdict: Make) -> None:
    first = shown(verdict(generalises=Outcome.FAILS)).splitlines()[0]
    assert first == "condensation  replicates ✓ HOLDS, generalises ✗ FAILS: PASSES, with an edge"


@pytest.mark.parametrize(
    ("kind", "replicates", "generalises", "word"),
    [
        ("law", Outcome.HOLDS, Outcome.HOLDS, "PASSES"),
        ("law", Outcome.HOLDS, Outcome.FAILS, "FAILS"),
        ("tendency", Outcome.HOLDS, Outcome.FAILS, "PASSES, with an edge"),
        ("tendency", Outcome.FAILS, Outcome.HOLDS, "FAILS"),
        ("tendency", Outcome.UNDECIDED, Outcome.FAILS, "UNDECIDED"),
        ("law", Outcome.INVALID, Outcome.INVALID, "INVALID"),
    ],
)
def test_the_two_answers_add_up_as_the_exit_code_does(
    shown: Make, verdict: Make, kind: str, replicates: Outcome, generalises: Outcome, word: str
) -> None:
    text = shown(verdict(replicates, generalises, kind=kind))
    assert text.splitlines()[0].endswith(f": {word}")


def test_a_counterexample_says_how_it_differs_and_its_replay_line_is_whole(shown: Make, verdict: Make) -> None:
    found = verdict(generalises=Outcome.FAILS)
    text = shown(found)
    assert "width=50 (reference: 20), lr=0.05 (reference: 0.1)" in text
    assert found.counterexample.replay in text.splitlines()


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (Outcome.FAILS, "✓ failed, as it must: 12 of 64 seeds held"),
        (Outcome.HOLDS, "✗ HELD, which it must not: 60 of 64"),
        (Outcome.UNTRIGGERED, "✗ never triggered"),
        (Outcome.UNDECIDED, "? has not clearly failed: 48 of 64"),
    ],
)
def test_what_the_negative_control_did_is_told_in_words(
    shown: Make, verdict: Make, judgement: Make, control: Outcome, words: str
) -> None:
    assert words in shown(verdict(control=judgement(control)))


def test_what_the_verdict_depends_on_is_printed_with_it(shown: Make, verdict: Make) -> None:
    text = shown(verdict())
    for said in ("the loss exceeds 3 x its minimum", "The run spikes", "1,400 runs trained, 20 reused, 61.2 s",
                 "3 numerical failures", "0123456789abcdef", "required: 80 %, bounds at 95 %", "cpu AVX512"):  # fmt: skip
        assert said in text
    assert "1 run trained, 20 reused" in shown(verdict(runs_trained=1))
    assert "spike: the loss" not in text  # the label says it once


def test_a_file_that_cannot_be_read_is_named_once(shown: Make, verdict: Make) -> None:
    """Regression: the reason begins with the file's name, which was printed before it as well."""
    unreadable = {"claims/a.py": "claims/a.py: no claim", "claims/b.py": "its rule cannot decide"}
    text = shown(verdict(), changes={"unreadable": unreadable})
    assert "Claim file left out: claims/a.py: no claim" in text
    assert "Claim file left out: claims/b.py: its rule cannot decide" in text


def test_a_partial_report_claims_nothing_that_was_not_reached(shown: Make, verdict: Make, unreached: Judgement) -> None:
    found = verdict(
        Outcome.UNDECIDED,
        Outcome.UNDECIDED,
        reference=unreached,
        control=unreached,
        weakest=None,
        tried=(),
        typical=None,
    )
    text = shown(found, changes={"complete": False})
    assert "Stopped early" in text
    assert text.count("not reached") == 2
    assert "not judged yet" in text
    assert "1,400 runs trained, 20 reused; nothing is judged yet." in text
    assert "othing was trained" not in text
    assert "of 0" not in text


def test_the_reason_is_printed(shown: Make, verdict: Make) -> None:
    reason = "The negative control holds too, so the check does not tell what is claimed from what is not."
    assert reason in " ".join(shown(verdict(Outcome.INVALID, reason=reason)).split())


def test_the_picture_is_for_one_claim_and_the_table_for_several(shown: Make, verdict: Make) -> None:
    one, two = shown(verdict()), shown(verdict(), verdict(id="slas"))
    assert ("A typical run" in one, "All claims" in one) == (True, False)
    assert ("A typical run" in two, "All claims" in two) == (False, True)


@pytest.mark.parametrize("strict", [False, True])
def test_an_edge_is_named_and_what_it_counts_for(shown: Make, verdict: Make, *, strict: bool) -> None:
    text = shown(verdict(generalises=Outcome.FAILS), strict=strict)
    assert ("under --strict that fails" in text) is strict


HOSTILE = "\x1b[31mred\x1b[0m\x9b31m [bold]b[/bold] \x1b]8;;http://x\x07 \u202e\u200b\ud800 two\nlines\r\x85"


def test_hostile_strings_come_out_inert_wherever_they_stand(shown: Make, verdict: Make, judgement: Make) -> None:
    edge = judgement(Outcome.FAILS).model_copy(update={"setting": Setting(problem="a:b", target="[red]x[/red]\x1b[2J")})
    names = ("id", "says", "where", "rule", "control_says", "reason", "specification")
    strings = dict.fromkeys(names, HOSTILE)
    found = verdict(Outcome.UNTRIGGERED, weakest=edge, definitions={HOSTILE: HOSTILE, "applies": HOSTILE}, **strings)
    changes = {"unreadable": {HOSTILE: HOSTILE}, "environment": {HOSTILE: HOSTILE}, "profile": HOSTILE}
    text = shown(found, verdict(), changes=changes, force_terminal=True, color_system=None)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\ud800-\udfff]", text)
    assert "[bold]b[/bold]" in text
    assert "[red]x[/red]" in text


def test_an_ascii_stream_gets_ascii(shown: Make, verdict: Make) -> None:
    for outcome in OUTCOMES:
        text = shown(verdict(outcome, Outcome.FAILS), verdict(id="slas"), encoding="ascii")
        assert outcome.upper() in text
    assert shown(verdict(), encoding="ascii").isascii()


def test_a_replayed_judgement_shows_where_it_lies_and_the_scores(
    capture: Make, judgement: Make, trace: Callable[..., Trace]
) -> None:
    found = judgement(Outcome.FAILS, Setting(lr=0.05))

    def show(console: Console) -> None:
        render_judgement(found, "condensation", Setting(), console, typical=trace())

    text = capture(show)
    assert "lr=0.05 (reference: 0.1)" in text
    assert "held in 12 of 64" in text
    assert "from 0.01 to 0.09, the middle half from 0.025 to 0.065" in text
    assert "A typical run (seed 7)" in text


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_plain_sentence_comes_before_any_figure(shown: Make, verdict: Make, outcome: Outcome) -> None:
    """As on the web page: whoever reads no further has the answer."""
    found = verdict(outcome, outcome)
    text = " ".join(shown(found, width=100).split())
    assert headline(found) in text
    assert text.index(headline(found)) < text.index("Does it replicate?")

"""The web page: complete, inert, self-contained, and the same for the same report."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import product
from typing import Any

import pytest

from spikecheck.core.judgement import Companion, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Variation
from spikecheck.report.html import html
from spikecheck.report.summary import behind, headline
from tests.report.conftest import planted_report, planted_verdict

Make = Callable[..., Any]
OUTCOMES = list(Outcome)
HOSTILE = '\x1b[31m"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} ${7} \u202e' + "long " * 200


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("replicates", "generalises"), list(product(OUTCOMES, OUTCOMES)))
def test_every_pair_of_outcomes_is_told_twice_alike(
    report: Make, verdict: Make, replicates: Outcome, generalises: Outcome
) -> None:
    found = report(verdict(replicates, generalises))
    page = html(found)
    assert page == html(found)
    text = " ".join(Page(page).text.split())
    assert " ".join(headline(found.claims[0]).split()) in text
    assert " ".join(behind(found.claims[0]).split()) in text
    assert f"Does it replicate? {'✓✗?∅!'[OUTCOMES.index(replicates)]} {replicates}" in text
    assert f"Where does it hold? generalises {'✓✗?∅!'[OUTCOMES.index(generalises)]} {generalises}" in text


@pytest.mark.parametrize("estimand", ["share", "mean", "median", "equivalence"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_share_and_average_are_both_shown_and_one_of_them_decides(
    report: Make, guarded: Make, estimand: str, outcome: Outcome
) -> None:
    page = Page(html(report(guarded(outcome, outcome, estimand, typical=None))))
    text = " ".join(page.text.replace("\u00a0", " ").split())
    decisive = {
        "share": "the share of seeds, which must be at least 80 %",
        "mean": "the mean; both bounds must be > 0 and the mean itself >= 0.02 (fails if both bounds are less)",
        "median": "the median; both bounds must be > 0;",
        "equivalence": "the mean; both bounds must be >= -0.1 and <= 0.1",
    }
    assert f"What decides: {decisive[estimand]}" in text
    assert re.search(r"[Hh]eld in \d+ of \d+ applicable \(64 trained\): share", text)
    assert "Effect, gain of mean |cos|: mean 0.0" in text
    assert "median 0.0412 (0.02 to 0.0631)" in text
    said = [str(found["aria-label"]) for tag, found in page.elements if (found.get("class") or "").startswith("strip ")]
    shares, averages = ([one for one in said if ("of the seeds" in one) is share] for share in (True, False))
    assert shares
    assert all(("; 80\u00a0% required" in one) is (estimand == "share") for one in shares)
    assert bool(averages) is (estimand != "share")
    asked = {
        "mean": "at least 0.02 worth a claim",
        "median": "at least 0 required",
        "equivalence": "at most 0.1 required",
    }
    assert all(asked[estimand] in one for one in averages)
    assert all(re.search(r"; from \S+ to \S+$", one.replace("\u00a0", "")) for one in said), "the ends have no names"


def test_the_claims_page_has_quotation_reading_and_what_it_cannot_tell(report: Make, guarded: Make) -> None:
    main = html(report(guarded())).partition('<main id="main">')[2].partition("</main>")[0]
    text = " ".join(Page(main.replace("</dt>", "</dt> ")).text.split())
    for said in ('"loss spikes can facilitate condensation"', "Reading Can is no law: an average effect.",
                 "Cannot tell The twin lacks more than the spike."):  # fmt: skip
        assert said in text
    assert text.count('"') == 2, "quotation marks stand around quotes alone"


def test_controls_and_their_contrast_guard_every_answer(report: Make, guarded: Make) -> None:
    text = " ".join(Page(html(report(guarded()))).text.replace("\u00a0", " ").split())
    assert text.count("✓ exceeds its negative control by 0.71 (0.55 to 0.83); must exceed 0.2.") == 2
    assert "Its positive control: ✓ planted effect found in 60 of 64 Weights turned together by 0.05." in text
    refuted = " ".join(Page(html(report(guarded(generalises=Outcome.FAILS)))).text.replace("\u00a0", " ").split())
    assert refuted.count("✓ planted effect found in 60 of 64") == 2
    assert "setting B: holds, 60 of 64 (64 trained), share 86 % to 98 %, mean 0.0431 (0.0312 to 0.055); " in text
    assert "negative control 12 of 64, exceeded by 0.71 (0.55 to 0.83) at width=80 (reference: 20)" in text


def test_reach_comes_first_where_it_was_estimated(report: Make, guarded: Make) -> None:
    text = " ".join(Page(html(report(guarded()))).text.replace("\u00a0", " ").split())
    led = "✓ holds Holds in 19 of 24 settings sampled from its domain: 79 % of it (58 to 93 %); 3 more settings"
    assert f"Where does it hold? generalises {led}" in text


def test_a_rule_that_may_have_been_chosen_for_its_data_is_marked(report: Make, guarded: Make) -> None:
    mark = "rule not shown to be written before its data"
    assert mark in html(report(guarded(registered="with")))
    assert mark not in html(report(guarded(registered="before"), guarded(id="slas")))


def test_a_users_strings_come_out_inert(report: Make, guarded: Make, scope: Make) -> None:
    found = guarded(Outcome.FAILS, Outcome.FAILS)
    effect = found.reference.effect.model_copy(update={"unit": HOSTILE})
    reference = found.reference.model_copy(
        update={"effect": effect, "companions": (Companion(effect=effect, measured=3, held=1),)}
    )
    moved = Variation(name=HOSTILE, judgement=reference)
    changes = dict.fromkeys(("id", "says", "where", "rule", "reason", "control_says", "specification"), HOSTILE)
    hostile = found.model_copy(
        update={
            **changes,
            "reference": reference,
            "robustness": (moved,),
            "definitions": {HOSTILE: HOSTILE},
            "scopes": (scope(),),
            "beside": {HOSTILE: 2},
            "quotes": HOSTILE,
            "reading": HOSTILE,
            "cannot_tell": HOSTILE,
            "positive_says": HOSTILE,
            "registered": "with",
        }
    )
    text = html(
        report(
            hostile,
            command=HOSTILE,
            environment={HOSTILE: HOSTILE},
            unreadable={"x": HOSTILE},
            left_out={HOSTILE: HOSTILE},
        )
    )
    page = Page(text)
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "img" not in {tag for tag, _ in page.elements}
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "49" not in page.text.split("alert(1)")[1][:60]  # no template of the user's is evaluated


def test_nothing_is_fetched_and_nothing_foreign_may_run(report: Make, verdict: Make) -> None:
    page = Page(html(report(verdict(), verdict(id="slas"))))
    references = [
        (tag, value or "")
        for tag, found in page.elements
        for name, value in found.items()
        if name in ("src", "href", "xlink:href")
    ]
    assert references
    own = [tag for tag, value in references if not value.startswith("#")]
    assert set(own) == {"a"}, "what is fetched of itself, and not when a reader follows it"
    assert all(value.startswith(("#", "https://arxiv.org/abs/")) for _, value in references)
    (policy,) = [
        found["content"] for tag, found in page.elements if found.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "'sha256-" in policy


def test_no_two_elements_share_an_identifier_and_every_reference_has_its_target(report: Make, verdict: Make) -> None:
    page = Page(html(report(verdict(), verdict(id="slas"))))
    identifiers = [found["id"] for _, found in page.elements if "id" in found]
    assert len(identifiers) == len(set(identifiers))
    links = {str(found["href"]) for tag, found in page.elements if tag == "a" and found.get("href")}
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= set(identifiers)


def test_what_fails_comes_first_and_the_heading_counts(report: Make, verdict: Make) -> None:
    found = report(
        verdict(id="fine"),
        verdict(Outcome.FAILS, id="wrong"),
        verdict(Outcome.UNDECIDED, Outcome.UNDECIDED, id="unsure"),
    )
    text = html(found)
    places = [text.index(f'id="claim-{name}"') for name in ("wrong", "unsure", "fine")]
    assert places == sorted(places)
    assert "3 claims: 1 passes, 1 is undecided, 1 fails" in text


def test_what_is_open_is_called_by_its_outcome(report: Make, verdict: Make) -> None:
    """Regression: an invalid claim was "open" above, and "invalid" below."""
    found = report(
        verdict(Outcome.INVALID, Outcome.INVALID, id="toothless"),
        verdict(Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, id="rare"),
    )
    text = html(found)
    assert "2 claims: 1 is untriggered, 1 is invalid" in text
    assert ">open<" not in text


def test_domain_and_search_are_on_the_page(report: Make, verdict: Make, judgement: Make) -> None:
    tried = (judgement(Outcome.UNTRIGGERED, Setting(lr=0.07)),)
    text = " ".join(Page(html(report(verdict(domain={"lr": ("0.1", "0.07")}, tried=tried)))).text.split())
    assert "lr: 0.1, 0.07" in text
    assert "lr=0.07 (reference: 0.1)∅ untriggered5/6" in text


def test_a_control_that_failed_is_good_news_and_one_that_held_is_not(report: Make, verdict: Make) -> None:
    assert '<span class="told holds">✓ failed, as it must</span>' in html(report(verdict()))
    invalid = html(report(verdict(Outcome.INVALID, Outcome.INVALID)))
    assert '<span class="told invalid">✗ HELD, which it must not</span>' in invalid


def test_what_was_stopped_early_says_so(report: Make, verdict: Make, unreached: Judgement) -> None:
    nothing = verdict(Outcome.UNDECIDED, Outcome.UNDECIDED, reference=unreached, control=unreached, typical=None)
    text = " ".join(Page(html(report(nothing, complete=False))).text.split())
    assert "Stopped early: this report is partial." in text
    assert "1,400 runs trained, 20 reused; nothing is judged yet." in text
    assert "Nothing was trained" not in text
    assert "None of the 0" not in text
    assert "Not judged yet." in text
    assert "not reached" in text
    assert "spikecheck replay" not in text
    assert "To reproduce it spikecheck explain condensation" in text
    idle = nothing.model_copy(update={"runs_trained": 0, "runs_reused": 0})
    assert "Nothing was trained for it." in html(report(idle, complete=False))
    assert "no numbers" in text
    assert "gain of mean |cos|: not measured" in text


def test_the_lines_to_copy_find_the_claim_and_ask_what_was_asked(report: Make, verdict: Make) -> None:
    """Regression: they named neither the claim's folder nor the optimizer that it was asked about."""
    asked = ("--optimizer", "adam", "--set", "lr=0.01")
    text = Page(html(report(verdict(claims_path="my claims", asked_with=asked)))).text
    found = "condensation --claims-path 'my claims'"
    assert f"spikecheck replay {found} --optimizer adam --set lr=0.01 --seed 0 --seeds 64\n" in text
    assert f"spikecheck explain {found}\n" in text


def test_a_map_has_a_cell_a_setting_and_frames_the_reference(report: Make, verdict: Make, scope: Make) -> None:
    page = Page(html(report(verdict(scopes=(scope(),)))))
    assert len([1 for tag, found in page.elements if tag == "td" and "here" in (found.get("class") or "")]) == 1


def test_the_overview_has_a_row_a_claim_with_strip_and_size_and_what_stops_it(report: Make, guarded: Make) -> None:
    made = html(report(guarded(Outcome.HOLDS, Outcome.FAILS, "mean"), guarded(Outcome.FAILS, Outcome.FAILS, id="slas")))
    overview = made.partition('<table id="answers"')[2].partition("</table>")[0]
    page = Page(overview)
    rows = [found for tag, found in page.elements if tag == "tr" and "data-claim" in found]
    assert [(row["data-claim"], row["data-word"]) for row in rows] == [("slas", "fails"), ("condensation", "passes")]
    assert len([1 for _, found in page.elements if (found.get("class") or "").startswith("strip ")]) == 2
    text = " ".join(page.text.replace("\u00a0", " ").split())
    assert "gain of mean |cos|: mean 0.0431; 2.2 times the least that is worth a claim" in text
    assert "Stops holding at width=50 (reference: 20), lr=0.05 (reference: 0.1); holds in 19/24 settings" in text


def test_claims_are_folded_and_what_a_link_points_to_lies_within(report: Make, verdict: Make) -> None:
    """A browser unfolds what a link points into, also without the page's own lines."""
    made = html(report(verdict(), verdict(id="slas")))
    page = Page(made)
    folded = [found for tag, found in page.elements if tag == "details" and "claim" in (found.get("class") or "")]
    assert [one["data-claim"] for one in folded] == ["condensation", "slas"]
    assert not any("open" in found for tag, found in page.elements if tag == "details")
    for part in made.split('<details class="claim"')[1:]:
        assert part.index("</summary>") < part.index('<section id="claim-')
    assert made.count('href="#claim-slas"') >= 3, "overview, index beside it, index above it"


def test_the_words_of_a_row_go_with_a_sign(report: Make, verdict: Make) -> None:
    made = html(report(verdict(Outcome.INVALID, Outcome.INVALID)))
    assert '<span class="badge invalid">! invalid</span>' in made
    assert "<option>invalid</option>" in made
    assert "<option>passes</option>" not in made


def test_claims_that_answer_one_another_are_linked(report: Make, verdict: Make) -> None:
    made = html(report(verdict(), verdict(Outcome.FAILS, Outcome.FAILS, id="spike-effect-decomposed")))
    beside = made.partition('<section id="claim-condensation"')[2].partition("</section>")[0]
    assert "Do spikes align the input weights" in beside
    assert '<a href="#claim-spike-effect-decomposed">spike-effect-decomposed</a>' in beside


def test_a_file_that_cannot_be_read_is_named_once() -> None:
    unreadable = {"claims/a.py": "claims/a.py: no claim", "claims/b.py": "its rule cannot decide"}
    text = html(planted_report(planted_verdict(), unreadable=unreadable))
    assert "Claim file left out: claims/a.py: no claim" in text
    assert "Claim file left out: claims/b.py: its rule cannot decide" in text

"""What every shipped claim must say and bring, whatever it is about."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from spikecheck.harness.claim import Claim, Control
from spikecheck.harness.discover import BUILT_IN, discover
from spikecheck.harness.plan import PROFILES
from spikecheck.stats.prediction import Average, from_record
from spikecheck.stats.prediction import as_record as kept

FOUND = discover(())
CLAIMS = {name: claim for name, claim in FOUND.claims.items() if Path(claim.source).parent.samefile(BUILT_IN)}
EVERY = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
SOURCE = re.compile(r"arXiv \d{4}\.\d{4,5}(v\d)?\b")
SENTENCE_END = re.compile(r"[.!?](?=\s+\S|$)")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|cf|vs|et al|Fig|Sec|Eq)\.$")


def sentences(text: str) -> int:
    """How many a text has; what is short for something ends none."""
    ends = (text[: end.end()] for end in SENTENCE_END.finditer(text.strip()))
    return sum(not ABBREVIATION.search(before) for before in ends)


def test_every_file_is_read() -> None:
    assert FOUND.unreadable == {}
    assert len(CLAIMS) == len(list(BUILT_IN.glob("[!_]*.py")))


@EVERY
def test_its_file_can_be_read_at_a_glance(claim: Claim) -> None:
    """What it is made of lies in the shared modules; its numbers and its words do not."""
    assert len(Path(claim.source).read_text(encoding="utf-8").splitlines()) <= 60


@EVERY
def test_what_it_shares_is_imported_in_a_way_that_the_register_follows(claim: Claim) -> None:
    """`from MODULE import name`, also of a module: studies/register_parts.py follows no other."""
    tree = ast.parse(Path(claim.source).read_text(encoding="utf-8"))
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert set(plain) <= {"numpy"}
    starred = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    assert not starred


@EVERY
def test_all_names_in_braces_are_filled_in(claim: Claim) -> None:
    """Shared functions leave room for a claim's numbers in what readers are told."""
    told = claim.explain()
    words = [*told.definitions.values(), *told.control, *told.also_not, *told.positive, *(arm for _, arm in told.arms)]
    assert not [text for text in words if re.search(r"\{\w*\}", text)]


@EVERY
def test_it_has_a_positive_control(claim: Claim) -> None:
    """Without one its failure would be INVALID."""
    assert claim.positive is not None
    assert claim.positive.says


@EVERY
def test_its_controls_differ_from_it_and_from_one_another(claim: Claim) -> None:
    parts = [part.name for part in fields(Control) if part.name != "says"]
    for control in claim.controls:
        assert any(getattr(control, part) is not None for part in parts), "it would be the claim once more"
    assert len({control.says for control in claim.controls}) == len(claim.controls)


@EVERY
def test_it_quotes_its_source_or_says_clearly_where_it_is_said(claim: Claim) -> None:
    assert claim.quotes.strip() or SOURCE.search(claim.where)
    words = SOURCE.sub("", claim.where)
    assert len(re.findall(r"\w{3,}", words)) >= 1, "a number alone is no place"


@EVERY
def test_it_says_how_the_words_are_read(claim: Claim) -> None:
    assert sentences(claim.reading) >= 1
    assert claim.reading.rstrip().endswith(".")


@EVERY
def test_it_says_in_exactly_two_sentences_what_it_cannot_tell(claim: Claim) -> None:
    assert sentences(claim.cannot_tell) == 2
    assert claim.cannot_tell.rstrip().endswith(".")


@EVERY
def test_its_rule_can_be_decided_by_the_smallest_profile_and_kept(claim: Claim) -> None:
    for predicts in (claim.predicts, *(condition.predicts for condition in claim.also)):
        assert from_record(kept(predicts)) == predicts
    plan = PROFILES["quick"].of(claim)
    assert claim.predicts.fewest() <= plan.sizes[-1]


@EVERY
def test_an_average_above_or_below_0_says_what_is_worth_a_claim(claim: Claim) -> None:
    """With enough seeds any average is above 0: nearer than that to its limit it must be able to fail."""
    predicts = claim.predicts
    if isinstance(predicts, Average) and 0.0 in (predicts.floor, predicts.ceiling):
        assert predicts.worth > 0.0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("One.", 1),
        ("One. Two.", 2),
        ("One, e.g. this. Two at 0.5.", 2),
        ("See Li et al. for it. Two?", 2),
        ("One. Two. Three!", 3),
    ],
)
def test_sentences_are_counted(text: str, count: int) -> None:
    assert sentences(text) == count

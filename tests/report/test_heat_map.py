"""A map in the terminal: complete, within its width, and readable without colour."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from spikecheck.core.judgement import Outcome
from spikecheck.core.scope import AS_CLAIMED, CUTOFF, Axis, Scope, ScopeMap, Value
from spikecheck.core.setting import Setting
from spikecheck.report.cells import face
from spikecheck.report.terminal import render, render_map

Make = Callable[..., Any]
WIDTHS = [40, 80, 120]
HOSTILE = "\x1b[31mred\x1b[0m\x9b31m [bold]b[/bold] \x07 \u202e\u200b two\nlines"


@pytest.fixture
def shown(capture: Callable[..., str], scope_map: Callable[..., ScopeMap]) -> Callable[..., str]:
    def show(*scopes: Scope, changes: dict[str, object] | None = None, **options: Any) -> str:
        found = scope_map(*scopes, **(changes or {}))
        return capture(lambda console: render_map(found, console), **options)

    return show


def test_cells_lie_as_in_a_plot_and_the_reference_is_marked(shown: Make, scope: Make) -> None:
    lines = shown(scope()).splitlines()
    first = lines.index("  width (neurons a hidden layer)")
    assert lines[first : first + 7] == [
        "  width (neurons a hidden layer)",
        "  50  ∅ n=6      ~ 40 lost  ✓ 60/64",
        "      of 64      of 64      86-98 %",
        "  20  ✓ 60/64   [✗ 12/64  ] ? 48/64",
        "      86-98 %   [12-28 %  ] 65-83 %",
        "      0.05       0.1        0.2",
        "      lr (learning rate)",
    ]  # fmt: skip


def test_what_a_reader_must_know_is_printed_with_it(shown: Make) -> None:
    text = " ".join(shown().split())
    for said in (
        "condensation where it holds",
        "✓ holds, ✗ fails, ? undecided",
        "∅ untriggered: it applies to n seeds only, fewer than 14; neither for nor against",
        "~ lost: numerical failures in most seeds; neither for nor against",
        "[ ] the reference setting",
        "seeds 64 a cell",
        "in at least 80 % of the seeds (exact binomial, each bound at 95 %)",
        "nothing is corrected for the number of cells",
        "elsewhere problem=sines, target=sin x, points=20, depth=1,",
        "the loss exceeds 3 x its minimum",
        "specification 0123456789abcdef, seed 0; torch 2.13.0, threads 1",
    ):
        assert said in text
    assert "shade" not in text  # there is no colour


def test_nothing_is_said_of_signs_that_do_not_occur(shown: Make, scope: Make, judgement: Make) -> None:
    found = scope()
    cells = tuple(judgement(Outcome.HOLDS, cell.setting) for cell in found.cells)
    text = shown(found.model_copy(update={"cells": cells}))
    assert "✓ holds\n" in text
    assert not re.search(r"untriggered|lost|fails", text)


def test_a_map_without_the_reference_says_so(shown: Make, scope: Make) -> None:
    text = shown(scope(), changes={"reference": Setting(points=11)})
    assert re.search(r"reference +no cell of this map", text)
    assert "[" not in text.split("in a cell")[0]


def test_of_several_cut_offs_the_one_that_is_claimed_is_the_reference(shown: Make, scope: Make) -> None:
    text = shown(scope(y=Axis(name=CUTOFF, values=("half", AS_CLAIMED))))
    (marked,) = [line for line in text.splitlines() if re.search(r"^ .*\[[~∅✓✗?]", line)]
    assert marked.startswith("  as claimed")
    assert "cutoff (which the effect is measured with)" in text


@pytest.mark.parametrize(("width", "colours"), list(product(WIDTHS, ["truecolor", "256", "standard"])))
def test_colour_changes_nothing_but_colour(shown: Make, scope: Make, width: int, colours: str) -> None:
    plain = shown(scope(), width=width, color_system=None, force_terminal=True)
    coloured = shown(scope(), width=width, color_system=colours, force_terminal=True)
    assert "\x1b" not in plain
    assert not any(line.endswith(" ") for line in plain.splitlines())
    bare = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    kept = [line.rstrip() for line in bare.splitlines()]
    scale = next(number for number, line in enumerate(kept) if line.startswith("  shade"))
    assert kept[:scale] == plain.splitlines()[:scale]


def test_only_cells_that_may_be_read_are_shaded_and_to_their_edge(shown: Make, scope: Make) -> None:
    text = shown(scope(), color_system="truecolor", force_terminal=True)
    (upper,) = [line for line in text.splitlines() if "40 lost " in line]
    untriggered, lost, holds = re.findall(r"\x1b\[([^m]*)m(?= [∅~✓])", upper)
    assert untriggered == lost == "2"
    assert re.fullmatch(r"38;2;[\d;]+;48;2;[\d;]+", holds)
    assert re.search(r" ✓ 60/64 +\x1b\[0m$", upper)


def test_an_ascii_stream_gets_ascii(shown: Make, scope: Make) -> None:
    text = shown(scope(), encoding="ascii")
    assert text.isascii()
    assert "[x 12/64  ]" in text
    assert "o n=6" in text


def test_long_labels_are_keyed(shown: Make, scope: Make) -> None:
    long = "sin x + sin 2x + sin 3x + sin 4x + sin 5x"
    x, y = Axis(name="target", values=("sin x", long)), Axis(name="problem", values=("sines", f"a:{long}"))
    text = shown(scope(x, y), width=80)
    assert re.search(r"^ +sin x +x2$", text, re.MULTILINE)
    assert re.search(r"^  y2 +", text, re.MULTILINE)
    assert f"  target     x2: {long}" in text
    assert f"  problem    y2: a:{long}" in text


def test_columns_that_do_not_fit_follow_below_evenly(shown: Make, scope: Make) -> None:
    rates = tuple(number / 100 for number in range(1, 10))
    text = shown(scope(Axis(name="lr", values=rates)), width=80)
    heads = [line.split() for line in text.splitlines() if re.fullmatch(r" +(0\.0\d +)+0\.0\d", line)]
    assert heads == [["0.01", "0.02", "0.03", "0.04", "0.05"], ["0.06", "0.07", "0.08", "0.09"]]
    assert text.count("  width (neurons a hidden layer)") == 2
    assert shown(scope(Axis(name="lr", values=rates)), width=120).count("  width (neurons a hidden layer)") == 1


LABELS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40) | st.sampled_from(
    ["関数の名前がとても長い関数", HOSTILE]
)
VALUES = st.lists(LABELS, min_size=2, max_size=12, unique=True).map(tuple)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(x=VALUES, y=VALUES, width=st.sampled_from(WIDTHS))
def test_whatever_the_values_no_line_is_too_wide_and_no_cell_is_missing(
    shown: Make, scope: Make, x: tuple[Value, ...], y: tuple[Value, ...], width: int
) -> None:
    found = scope(Axis(name="target", values=x), Axis(name="problem", values=y))
    text = shown(found, width=width, force_terminal=True, color_system=None)
    drawn = text.split("in a cell")[0]
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x84\x86-\x9f\u200b\u202e]", text)
    for count in {face(cell).count for cell in found.cells}:
        assert drawn.count(count) >= [face(cell).count for cell in found.cells].count(count)


def test_hostile_strings_come_out_inert(shown: Make, scope: Make) -> None:
    strings = dict.fromkeys(("claim", "says", "where", "rule", "specification"), HOSTILE)
    changes = {**strings, "environment": {HOSTILE: HOSTILE}, "definitions": {HOSTILE: HOSTILE}}
    values = Axis(name="target", values=(HOSTILE, "[red]x[/red]"))
    found = scope(values, centre=Setting(problem=f"a:{HOSTILE}"))
    text = shown(found, changes=changes, force_terminal=True, color_system=None)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", text)
    assert "[red]x[/red]" in text


def test_several_maps_share_one_legend(shown: Make, scope: Make) -> None:
    text = shown(scope(), scope(y=Axis(name="points", values=(10, 20))))
    assert text.count("in a cell") == text.count("in at least 80 %") == 1
    assert text.count("elsewhere") == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_a_verdicts_maps_stand_in_its_block(
    capture: Make, report: Make, verdict: Make, scope: Make, width: int
) -> None:
    def show(console: Console) -> None:
        render(report(verdict(scopes=(scope(), scope(y=Axis(name="points", values=(10, 20)))))), console)

    text = capture(show, width=width)
    assert text.count("Where does it hold?") == 1
    assert [text.count(said) for said in ("Over lr and width, 64", "Over lr and points, 64")] == [1, 1]
    assert [text.count(marked) for marked in ("[✗ 12/64  ]", "[~ 40 lost]")] == [1, 1]
    assert text.count("in a cell") == 1
    assert all(len(line) <= width for line in text.splitlines())
    assert "Over lr" not in capture(lambda console: render(report(verdict()), console))


def test_where_an_average_decides_a_cell_has_its_bounds_and_the_shade_its_outcome(
    shown: Make, scope: Make, average: Make
) -> None:
    kinds = (Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED, Outcome.UNTRIGGERED)
    found = scope()
    cells = tuple(average(kinds[place % 4], cell.setting) for place, cell in enumerate(found.cells))
    text = shown(found.model_copy(update={"cells": cells}))
    lines = text.splitlines()
    first = lines.index("  width (neurons a hidden layer)")
    assert lines[first + 1 : first + 5] == [
        "  50  ∅ n=6             ✓ 60/64           ✗ 12/64",
        "      of 64             0.031 to 0.055    -0.011 to 0.015",
        "  20  ✓ 60/64          [✗ 12/64         ] ? 48/64",
        "      0.031 to 0.055   [-0.011 to 0.015 ] -0.0019 to 0.028",
    ]
    assert "the mean's bounds, each at 95 %, which decides" in " ".join(text.split())
    coloured = shown(
        found.model_copy(update={"cells": cells}), color_system="truecolor", force_terminal=True, width=100
    )
    (shade,) = [line for line in coloured.splitlines() if "shade" in line]
    assert all(str(outcome) in shade for outcome in kinds[:3])
    assert "required" not in shade

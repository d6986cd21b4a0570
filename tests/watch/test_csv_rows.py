"""Tables as programs and people write them, each beside the plain one."""

from pathlib import Path

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.watch.csv_rows import csv_rows

PLAIN = [{"step": str(step), "loss": f"{2.5 + step / 8000}"} for step in (0, 999, 1000, 12000)]


def written(separator: str = ",", before: str = "", step: str = "{step}", loss: str = "{loss}", end: str = "") -> str:
    lines = [separator.join((step, loss)).format(**row) for row in PLAIN]
    return f"{before}step{separator}loss\n{''.join(f'{line}{end}{chr(10)}' for line in lines)}"


def grouped(separator: str, comma: str, point: str, quote: str = "") -> str:
    lines = [
        f"{int(row['step']):,}".replace(",", comma) + quote + separator + row["loss"].replace(".", point)
        for row in PLAIN
    ]
    return "\n".join([f"step{separator}loss", *(f"{quote}{line}" for line in lines)])


@pytest.mark.parametrize(
    "text",
    [
        written(),
        written(" ", before="# "),
        written("   "),
        written(before="# a run\n# at the rate 3\n"),
        written(before="# "),
        written("\t"),
        grouped("\t", ",", "."),
        grouped(",", ",", ".", quote='"'),
        grouped(";", "", ","),
        grouped(";", ".", ","),
        "time;" + "\n28.11.2026;".join(grouped(";", "", ",").splitlines()),
        "\t" + "\n7\t".join(written("\t").splitlines()),
    ],
)
def test_the_rows_are_the_plain_ones(text: str) -> None:
    """Regression: a tab before the names moved all columns by one; groups of thousands ended the log at step 999 without a
    word; dates with points hid decimal commas; tables with spaces, and with comments, were none."""
    rows = [{name: float(row[name]) for name in ("step", "loss")} for row in csv_rows(text, Path("run.csv"))]
    assert rows == [{name: float(cell) for name, cell in row.items()} for row in PLAIN]


def test_a_table_without_names_is_refused_in_one_line() -> None:
    with pytest.raises(
        UsageError, match=r"run.csv: its first line has numbers and no names; add a line of names before it"
    ):
        csv_rows("0,2.5\n1,2.4\n", Path("run.csv"))


def test_text_with_commas_stays_text() -> None:
    rows = list(csv_rows('step,note\n1,"good, then bad"\n2,"1,5 to 2"\n', Path("run.csv")))
    assert [row["note"] for row in rows] == ["good, then bad", "1,5 to 2"]

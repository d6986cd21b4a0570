"""Rows from lines of text in which every number stands behind its name, such as "INFO step 12 loss 2.5, lr=0.001"."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d+)?|[+-]?(?<![a-z])(?:nan|inf(?:inity)?)\b"
_NUMBERS = re.compile(_NUMBER, re.IGNORECASE)
_PAIR = re.compile(
    r"(?<![\w./-])((?:(?:train|training|val|valid|validation|eval|test) )?[a-z_][\w./-]*)['\"]? ?[:=]? ?"
    rf"({_NUMBER})(?=[\s;|/)\]}}]|[,:](?!\d)|$)",
    re.IGNORECASE,
)

_FEWEST = 0.1
"""Share of the lines that must have the form: a table may have a comment of that kind before it."""

Row = Mapping[str, str]


def key_value_rows(text: str) -> Sequence[Row]:
    """One row for each line of the commonest form that has a loss, cells by name; none where few lines have such a form.

    Lines have one form if they differ in numbers alone, so that lines of training and of validation are told apart.

    >>> key_value_rows("Training\\nstep 0: loss=2.5\\nstep 1: loss=nan\\nval: step 1 loss 3.0")
    [{'step': '0', 'loss': '2.5'}, {'step': '1', 'loss': 'nan'}]
    """
    lines = [plain for line in text.splitlines() if (plain := " ".join(line.split()))]
    with_loss = [line for line in lines if "loss" in line.lower()]
    forms = [_NUMBERS.sub("#", line) for line in with_loss]
    commonest, count = (Counter(forms).most_common(1) or [("", 0)])[0]
    if count < max(1.0, _FEWEST * len(lines)):
        return []
    rows = [_row(line) for line, form in zip(with_loss, forms, strict=True) if form == commonest]
    return rows if any("loss" in name.lower() for name in rows[0]) else []


def _row(line: str) -> Row:
    """The numbers of a line by name; of one name the first."""
    row: dict[str, str] = {}
    for name, cell in _PAIR.findall(line):
        row.setdefault(name, cell.replace(",", ""))
    return row

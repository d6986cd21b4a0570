"""Labels of a map's axes."""

from spikecheck.core.scope import CUTOFF
from spikecheck.core.setting import Setting
from spikecheck.report.axes import labels, title


def test_every_condition_of_a_setting_has_a_meaning() -> None:
    plain = [name for name in [*Setting.model_fields, CUTOFF] if title(name) == name]
    assert plain == ["intervention"]


def test_values_are_shown_as_they_are_typed_and_inert() -> None:
    assert labels((0.05, 1e-6, 20, "sin x", None, False)) == ["0.05", "1e-06", "20", "sin x", "none", "False"]
    assert labels(("\x1b[31mred\n\u202e",)) == ["[31mred "]
    assert title("\x1b[31mred") == "[31mred"

"""Shell lines that find a claim and judge it again."""

import shlex

from spikecheck.core.replay_lines import finding, replay_line
from spikecheck.core.setting import Setting

REFERENCE = Setting()


def test_a_line_names_only_what_differs_from_the_reference() -> None:
    setting = REFERENCE.but(target="sin x + sin 4x", batch=5)
    words = shlex.split(replay_line(["planted"], setting, REFERENCE.but(clip=0.5), 3, 24))
    changes = sorted(words[index + 1] for index, word in enumerate(words) if word == "--at")
    assert changes == ["batch=5", "clip=none", "target=sin x + sin 4x"]
    assert words[:3] == ["spikecheck", "replay", "planted"]
    assert words[-4:] == ["--seed", "3", "--seeds", "24"]


def test_a_claim_outside_the_package_is_found_by_its_folder() -> None:
    assert finding("planted", "") == ["planted"]
    assert finding("planted", "my claims") == ["planted", "--claims-path", "my claims"]

"""Where forks begin and end."""

from spikecheck.watch.detector import NoisySpike
from spikecheck.why.scene import scene_of


def test_a_scene_lies_within_the_run() -> None:
    def spike(onset: int, over: int | None) -> NoisySpike:
        return NoisySpike(onset, onset, onset, 9.0, 1.0, 0.1, 2.0, "high", over)

    assert (scene_of(spike(400, 410), 1_000).start, scene_of(spike(400, 410), 1_000).end) == (336, 464)
    assert scene_of(spike(400, 450), 1_000).end == 500
    assert scene_of(spike(400, None), 1_000).end == 528
    assert (scene_of(spike(400, None), 420).end, scene_of(spike(400, None), 420).over) == (420, 420)
    assert scene_of(spike(10, 20), 1_000).start == 0
    assert scene_of(spike(410, 420), 1_000, first=400).start == 400

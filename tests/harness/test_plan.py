"""Seeds and sizes of a verification."""

from spikecheck.core.setting import Setting
from spikecheck.harness.plan import fresh_seeds, reach_seeds, search_seeds


def test_search_and_fresh_seeds_share_nothing_and_longer_blocks_extend_shorter_ones() -> None:
    setting = Setting()
    search, fresh = search_seeds(0, setting, 500), fresh_seeds(0, setting, 500)
    assert not set(search) & set(fresh)
    assert not set(reach_seeds(0, setting, 500)) & {*search, *fresh}
    assert fresh_seeds(0, setting, 64) == fresh[:64]
    assert fresh_seeds(1, setting, 64) != fresh[:64]
    assert fresh_seeds(0, setting.but(lr=0.2), 64) != fresh[:64]

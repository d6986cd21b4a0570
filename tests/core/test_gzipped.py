"""Compressed reports: equal content gives equal files, and neither damage nor a bomb does harm."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core import gzipped
from spikecheck.core.errors import UsageError
from spikecheck.core.gzipped import compressed, restored

NAMED = Path("report.json.gz")


@given(st.binary())
def test_what_was_compressed_is_restored_and_the_same_each_time(content: bytes) -> None:
    packed = compressed(content, NAMED)
    assert packed[4:8] == bytes(4)  # where the format has the time
    assert gzip.decompress(packed) == content == restored(packed, NAMED)


@given(st.binary(min_size=100), st.data())
def test_damage_is_refused_in_one_line_or_harms_nothing(content: bytes, data: st.DataObject) -> None:
    packed = bytearray(compressed(content, NAMED))
    place = data.draw(st.integers(10, len(packed) - 1))
    packed[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        again = restored(bytes(packed), NAMED)
    except UsageError as refused:
        again = content if "is compressed and damaged" in str(refused) and "\n" not in str(refused) else b""
    assert again == content


def test_a_truncated_file_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"report.json.gz: is compressed and damaged: .*; give a file that --json has written"
    ):
        restored(compressed(b"{}" * 1000, NAMED)[:-9], NAMED)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzipped, "LARGEST", 2**20)
    assert len(restored(gzip.compress(bytes(2**20)), NAMED)) == 2**20
    with pytest.raises(UsageError, match="restores to more than 1 MiB"):
        restored(gzip.compress(bytes(2**20 + 1)), NAMED)

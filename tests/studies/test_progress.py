"""What the study of the time left reads off a screen, and what it counts as right."""

import pytest

from studies.progress import Second, Watched, _second, last_whole_screen, page


def at(seconds: float, least: float | None, most: float | None) -> Second:
    return Second(seconds, 10, least, most, named=False)


@pytest.mark.parametrize(
    ("screen", "least", "most"),
    [
        ("45 %, about 1:10 left", 70, 70),
        ("45 %, 0:10 to 1:02:05 left", 10, 3_725),
        ("45 %, compiling …", None, None),
        ("0 %", None, None),
        ("45 %, about 1:10 left\x1b[1A\x1b[2K46 %, 0:20 to 2:00 left", 20, 120),
    ],
)
def test_the_last_picture_on_the_screen_is_read(screen: str, least: float | None, most: float | None) -> None:
    second = _second(1.0, screen)
    assert (second.least, second.most) == (least, most)


def test_a_screen_that_is_read_between_two_of_its_lines_is_not_the_last() -> None:
    """Regression: it has no percentage, and ten such readings in a row counted as ten seconds without progress."""
    erased, whole = 2 * "\x1b[1A\x1b[2K", "claim\r\n45 %, about 0:10 left\r\n"
    assert last_whole_screen(whole + erased + whole + erased + "claim\r\n") == whole
    assert last_whole_screen(whole + erased) == whole
    assert last_whole_screen("claim\r\n") == "claim\r\n"


@pytest.mark.parametrize(
    ("least", "most", "right"),
    [
        (50, 50, True),
        (49, 49, False),
        (200, 200, True),
        (201, 201, False),
        (10, 98, True),
        (10, 97, False),
        (103, 500, False),
    ],
)
def test_an_estimate_is_right_within_a_factor_of_two_and_a_range_where_it_holds_the_time(
    least: float, most: float, right: bool
) -> None:
    """One hundred seconds are left."""
    watched = Watched("verify", 110.0, [at(10.0, least, most)])
    assert (watched.right(watched.estimates) + watched.right(watched.ranges)) == right


def test_seconds_without_an_estimate_are_counted_apart() -> None:
    watched = Watched(
        "verify", 60.0, [at(10.0, None, None), at(20.0, 10.0, 90.0), at(30.0, 30.0, 30.0), at(40.0, 5.0, 5.0)]
    )
    (row,) = [line for line in page([watched]).splitlines() if line.startswith("| `verify`")]
    assert row == "| `verify` | 60 s | 30 s | 1 of 2 | 1 of 1 | yes | 0 s |"

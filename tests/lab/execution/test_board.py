"""What workers do, as their parent reads it."""

import multiprocessing

import pytest

from spikecheck.core.activity import heard_by
from spikecheck.lab.execution.board import Board, Row


@pytest.fixture
def board() -> Board:
    return Board(multiprocessing.get_context("spawn"), workers=2)


def test_steps_are_told_once_and_with_their_job(board: Board) -> None:
    one, other = Row.taken_from(*board.shared), Row.taken_from(*board.shared)
    one.begin(7)
    other.begin(8)
    one.advance(30)
    other.advance(5)
    one.advance(30)
    assert sorted(board.made()) == [(7, 60), (8, 5)]
    assert list(board.made()) == []
    one.begin(9)
    one.advance(1)
    assert list(board.made()) == [(9, 1)]


def test_what_goes_on_is_named_while_no_worker_trains(board: Board) -> None:
    said: list[str] = []
    with heard_by(said.append):
        board.tell_what_else()
        one, other = Row.taken_from(*board.shared), Row.taken_from(*board.shared)
        one.begin(1)
        one.tell("compiling")
        board.tell_what_else()
        other.begin(2)
        board.tell_what_else()
        other.tell("compiling")
        board.tell_what_else()
        one.tell("")
        board.tell_what_else()
        board.tell_what_else()
        one.end()  # has nothing to do while the other compiles
        board.tell_what_else()
        other.end()
        board.tell_what_else()
    assert said == ["starting 2 workers", "compiling", "", "compiling", "", "compiling", ""]

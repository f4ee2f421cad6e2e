"""A campaign moves only as its table says; what is stopped stays so, and nothing runs unasked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.states import TRANSITIONS, CampaignState, Move, WrongMoveError, moved

MOVES: tuple[Move, ...] = tuple({move for _, move in TRANSITIONS})


@given(moves=st.lists(st.sampled_from(sorted(MOVES)), max_size=30))
def test_any_order_of_moves_keeps_to_the_table(moves: list[Move]) -> None:
    state, stopped = CampaignState.DRAFT, False
    for move in moves:
        try:
            after = moved(state, move)
        except WrongMoveError as error:
            assert (state, move) not in TRANSITIONS
            assert move in str(error)
            continue
        assert not stopped
        stopped = after is CampaignState.STOPPED
        state = after


def test_every_state_but_the_last_can_be_stopped_or_is_over() -> None:
    for state in CampaignState:
        over = state in (CampaignState.STOPPED, CampaignState.COMPLETED)
        assert ((state, "stop") in TRANSITIONS) is not over


def test_a_wrong_move_says_what_can_be_done() -> None:
    with pytest.raises(WrongMoveError, match=r"paused campaign.*got start; it can: resume, stop"):
        moved(CampaignState.PAUSED, "start")
    with pytest.raises(WrongMoveError, match="nothing moves it any more"):
        moved(CampaignState.STOPPED, "start")

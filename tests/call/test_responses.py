"""One answer at a time: no turn is answered twice, none is forgotten, a dead answer stays dead."""

from app.call.commands import CancelResponse, Command, CreateResponse
from app.call.responses import MEMORY, Responses, ResponseSettings, ResponseState

SETTINGS = ResponseSettings(answer_timeout_ms=5_000, stall_timeout_ms=8_000)


def created_ids(commands: list[Command]) -> list[str]:
    return [command.request_id for command in commands if isinstance(command, CreateResponse)]


def asked() -> tuple[Responses, str]:
    """A request on its way, at 0 ms."""
    responses = Responses(SETTINGS)
    return responses, created_ids(responses.want("Greet.", 0))[0]


def running() -> Responses:
    """The answer r1 to our request, running since 100 ms."""
    responses, request_id = asked()
    responses.created("r1", request_id, 100)
    return responses


def test_a_wish_is_asked_for_at_once_when_nothing_stands_against_it() -> None:
    assert Responses().want("Greet.", 0) == [CreateResponse("create-1", "Greet.")]


def test_a_second_wish_waits_until_the_answer_is_over() -> None:
    responses = running()

    assert responses.want("", 200) == []
    assert created_ids(responses.finished("r1", 300, completed=True)) == ["create-2"]


def test_many_wishes_while_an_answer_runs_are_one_request() -> None:
    responses = running()
    for at_ms in range(200, 300, 10):
        responses.want("", at_ms)

    assert created_ids(responses.finished("r1", 300, completed=True)) == ["create-2"]
    assert responses.want("", 310) == []


def test_the_end_of_another_response_is_not_the_end_of_ours() -> None:
    responses = running()
    responses.want("", 200)

    assert responses.finished("r0", 300, completed=False) == []
    assert responses.state is ResponseState.ACTIVE


def test_a_conflict_is_asked_again_when_the_other_response_is_done() -> None:
    responses, request_id = asked()
    responses.created("r9", "", 50)
    responses.conflicted(request_id, 60)

    commands = responses.finished("r9", 500, completed=True)

    assert commands == [CreateResponse("create-2", "Greet.")]


def test_a_conflict_with_a_response_we_never_saw_waits_for_whatever_ends() -> None:
    responses, request_id = asked()
    responses.conflicted(request_id, 60)

    assert responses.state is ResponseState.ACTIVE
    assert created_ids(responses.finished("unknown", 500, completed=True)) == ["create-2"]


def test_interrupting_a_response_without_a_known_id_kills_nobody_else() -> None:
    responses, request_id = asked()
    responses.conflicted(request_id, 60)
    responses.interrupt()

    assert responses.alive("")
    assert responses.alive("r2")


def test_a_conflict_that_answers_another_request_changes_nothing() -> None:
    responses, _ = asked()
    responses.conflicted("create-99", 60)

    assert responses.state is ResponseState.REQUESTED
    assert responses.busy


def test_a_doomed_request_is_cancelled_by_id_when_it_is_created() -> None:
    responses, request_id = asked()
    responses.caller_started()
    assert responses.interrupt() == []
    assert not responses.busy

    assert responses.created("r1", request_id, 200) == [CancelResponse("cancel-r1", "r1")]
    assert not responses.alive("r1")


def test_a_doomed_request_that_conflicts_is_not_asked_again() -> None:
    responses, request_id = asked()
    responses.interrupt()
    responses.conflicted(request_id, 100)

    assert responses.finished("r9", 200, completed=True) == []


def test_a_doomed_request_stays_doomed_after_its_timeout() -> None:
    responses, request_id = asked()
    responses.interrupt()
    assert responses.expire(5_000) == []

    assert responses.created("r1", request_id, 5_100) == [CancelResponse("cancel-r1", "r1")]


def test_a_doomed_answer_does_not_make_us_forget_the_caller_who_waits() -> None:
    responses, request_id = asked()
    responses.caller_started()
    responses.interrupt()
    responses.caller_stopped(1_000)
    responses.created("r1", request_id, 1_050)
    responses.finished("r1", 1_100, completed=False)

    assert responses.due_ms == 6_000
    assert created_ids(responses.expire(6_000)) == ["create-2"]


def test_a_late_orphan_counts_as_the_answer_to_the_request_that_replaced_it() -> None:
    responses, first = asked()
    (second,) = created_ids(responses.expire(5_000))
    responses.created("r1", first, 5_050)
    responses.conflicted(second, 5_100)

    assert responses.alive("r1")
    assert responses.finished("r1", 6_000, completed=True) == []


def test_a_late_orphan_and_its_replacement_are_not_both_heard() -> None:
    responses, first = asked()
    (second,) = created_ids(responses.expire(5_000))
    responses.created("r1", first, 5_050)
    responses.finished("r1", 6_000, completed=True)

    assert responses.created("r2", second, 6_010) == [CancelResponse("cancel-r2", "r2")]


def test_while_the_caller_speaks_a_tool_output_asks_for_nothing() -> None:
    responses = Responses(SETTINGS)
    responses.caller_started()

    assert responses.want("", 100) == []
    assert responses.caller_stopped(2_000) == []


def test_the_models_own_answer_covers_what_was_put_in_before_it() -> None:
    responses = Responses(SETTINGS)
    responses.caller_started()
    responses.want("", 100)
    responses.caller_stopped(2_000)
    responses.created("r1", "", 2_100)

    assert responses.finished("r1", 3_000, completed=True) == []


def test_an_output_that_crossed_with_the_models_own_answer_is_asked_for_after_it() -> None:
    responses = Responses(SETTINGS)
    responses.caller_started()
    responses.caller_stopped(2_000)
    responses.want("", 2_050)
    responses.created("r1", "", 2_100)

    assert created_ids(responses.finished("r1", 3_000, completed=True)) == ["create-1"]


def test_an_output_put_in_after_our_request_is_asked_for_after_its_answer() -> None:
    responses, request_id = asked()
    responses.want("", 1_000)
    responses.created("r1", request_id, 2_000)

    assert created_ids(responses.finished("r1", 3_000, completed=True)) == ["create-2"]


def test_when_the_model_does_not_answer_a_turn_we_ask() -> None:
    responses = Responses(SETTINGS)
    responses.caller_started()
    responses.caller_stopped(2_000)

    assert responses.expire(6_999) == []
    assert created_ids(responses.expire(7_000)) == ["create-1"]


def test_when_a_dead_response_never_ends_the_next_turn_is_answered_all_the_same() -> None:
    responses = running()
    responses.caller_started()
    responses.interrupt()
    responses.caller_stopped(1_000)
    responses.expire(6_000)

    assert created_ids(responses.expire(8_100)) == ["create-2"]


def test_without_a_server_that_answers_the_end_of_speech_is_our_cue() -> None:
    responses = Responses(ResponseSettings(server_answers=False))
    responses.caller_started()

    assert created_ids(responses.caller_stopped(500)) == ["create-1"]


def test_a_response_is_cancelled_by_id_where_the_server_does_not() -> None:
    responses = Responses(ResponseSettings(server_cancels=False))
    responses.created("r1", "", 0)

    assert responses.interrupt() == [CancelResponse("cancel-r1", "r1")]
    assert responses.interrupt() == []


def test_where_the_server_cancels_we_do_not() -> None:
    responses = running()

    assert responses.interrupt() == []
    assert not responses.alive("r1")
    assert not responses.busy


def test_a_stalled_answer_is_cancelled_and_asked_for_again() -> None:
    responses = running()
    responses.progressed(1_000)

    assert responses.expire(8_999) == []
    assert responses.expire(9_000) == [
        CancelResponse("cancel-r1", "r1"),
        CreateResponse("create-2", ""),
    ]
    assert not responses.given_up


def test_two_stalls_in_a_row_and_the_model_is_given_up() -> None:
    responses, _ = asked()
    responses.expire(5_000)

    assert responses.expire(10_000) == []
    assert responses.given_up


def test_an_answer_between_two_stalls_starts_the_count_anew() -> None:
    responses, _ = asked()
    (second,) = created_ids(responses.expire(5_000))
    responses.created("r1", second, 5_100)
    responses.finished("r1", 6_000, completed=True)
    responses.want("", 7_000)
    responses.expire(12_000)

    assert not responses.given_up


def test_a_goodbye_forgets_wishes_that_were_not_asked_for() -> None:
    responses = running()
    responses.want("", 200)
    responses.want_nothing()

    assert responses.finished("r1", 300, completed=True) == []


def test_complete_means_ended_before_anybody_interrupted() -> None:
    responses = running()
    responses.finished("r1", 200, completed=True)
    responses.created("r2", "", 300)
    responses.interrupt()
    responses.finished("r2", 400, completed=True)
    responses.created("r3", "", 500)
    responses.finished("r3", 600, completed=False)

    assert [responses.complete(name) for name in ("r1", "r2", "r3")] == [True, False, False]


def test_ids_of_old_responses_are_forgotten() -> None:
    responses = Responses(SETTINGS)
    for n in range(10_000):
        responses.created(f"r{n}", "", n)
        if n % 2:
            responses.interrupt()
        responses.finished(f"r{n}", n, completed=True)

    assert len(responses._dead) == len(responses._complete) == MEMORY
    assert not responses._doomed


# Sessions come and go


def lost(responses: Responses, go_on: str = "") -> Responses:
    """The session is gone at 1 s."""
    responses.leg_lost(1_000, go_on=go_on)
    return responses


def asked_next(responses: Responses) -> list[str]:
    """The instructions of what the next session is asked for, at 2 s."""
    return [c.instructions for c in responses.leg_taken(2_000) if isinstance(c, CreateResponse)]


def test_an_answer_that_broke_off_is_gone_on_with_whatever_else_is_wished_for() -> None:
    for wish, asked in (("", "Go on."), ("Ask.", "Ask.")):
        responses = Responses(SETTINGS)
        responses.created("r1", "", 0)
        responses.want(wish, 500)
        assert asked_next(lost(responses, "Go on.")) == [asked]


def test_while_nobody_answers_wishes_wait_and_are_one_request_afterwards() -> None:
    responses = lost(Responses(SETTINGS))
    assert responses.want("", 1_100) == responses.want("", 1_200) == []
    assert responses.due_ms is None, "nothing is waited for that nobody was asked for"

    assert asked_next(responses) == [""]


def test_a_request_that_was_lost_is_made_again_as_it_was() -> None:
    responses, _ = asked()

    assert asked_next(lost(responses)) == ["Greet."]


def test_an_answer_that_was_lost_is_gone_on_with_or_asked_for_as_it_was() -> None:
    assert asked_next(lost(running(), go_on="Go on.")) == ["Go on."]
    assert asked_next(lost(running())) == ["Greet."]


def test_an_answer_that_was_interrupted_is_owed_to_nobody() -> None:
    for responses in (running(), asked()[0]):
        responses.caller_started()
        responses.interrupt()
        lost(responses, go_on="Go on.")
        responses.caller_stopped(1_500)
        assert not any(isinstance(c, CreateResponse) for c in responses.leg_taken(1_600))
        assert responses.due_ms == 1_500 + SETTINGS.answer_timeout_ms


def test_an_answer_that_the_model_owed_by_itself_is_asked_for() -> None:
    responses = Responses(SETTINGS)
    responses.caller_started()
    responses.caller_stopped(500)
    assert responses.owed

    assert asked_next(lost(responses)) == [""]


def test_nothing_owed_is_nothing_asked() -> None:
    responses = running()
    responses.finished("r1", 500, completed=True)
    assert not responses.owed
    assert responses.still

    assert asked_next(lost(responses)) == []
    assert responses.still


def test_what_comes_late_of_a_lost_answer_is_dead() -> None:
    responses = lost(running())

    assert not responses.alive("r1")
    assert responses.finished("r1", 1_500, completed=True) == []
    assert not responses.complete("r1")


def test_a_wish_with_instructions_is_not_replaced_by_one_without() -> None:
    responses = lost(Responses(SETTINGS))
    responses.want("Say that we were cut off.", 1_100)
    responses.want("", 1_200)

    assert asked_next(responses) == ["Say that we were cut off."]


def test_a_wish_with_instructions_replaces_one_without() -> None:
    responses = lost(Responses(SETTINGS))
    responses.want("", 1_100)
    responses.want("Say that we were cut off.", 1_200)

    assert asked_next(responses) == ["Say that we were cut off."]


def test_while_the_caller_speaks_the_next_session_is_asked_for_nothing() -> None:
    responses = running()
    responses.caller_started()

    assert asked_next(lost(responses)) == []

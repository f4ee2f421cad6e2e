"""Each voice accounts for every byte from one end to the other, and its latencies are those of the
frames and answers that the window saw."""

from bench.load_call import FRAME_BYTES, BotVoice, CallerVoice, LoadCall, Samples
from bench.load_tape import SILENCE


def test_a_caller_frame_is_timed_from_its_send_to_its_last_byte() -> None:
    samples = Samples()
    voice = CallerVoice(3, samples)
    with samples.opened() as found:
        first, second = voice.next_frame(1.0), voice.next_frame(1.02)
        voice.heard(first + second[:100], 1.03)
        voice.heard(second[100:], 1.05)
    assert [round(s, 6) for s in found.to_model_s] == [0.03, 0.03]
    assert voice.missing_bytes == 0


def test_nothing_is_timed_outside_a_window() -> None:
    samples = Samples()
    voice = CallerVoice(3, samples)
    with samples.opened() as found:
        pass
    voice.heard(voice.next_frame(1.0), 1.03)
    assert len(found.to_model_s) == 0


def test_a_frame_that_never_arrives_is_missing_whether_or_not_others_follow() -> None:
    voice = CallerVoice(0, Samples())
    frames = [voice.next_frame(n * 0.02) for n in range(4)]
    voice.heard(frames[0], 1)
    voice.heard(frames[2], 1)
    assert voice.reader.lost == FRAME_BYTES
    assert voice.missing_bytes == 2 * FRAME_BYTES


def spoken(n_bytes: int) -> tuple[BotVoice, bytes]:
    voice = BotVoice(1, Samples())
    voice.begin(n_bytes, 5.0)
    return voice, voice.next_piece(n_bytes)


def test_the_last_frame_of_an_answer_may_be_filled_with_silence() -> None:
    voice, audio = spoken(200)
    voice.heard(audio[:160], 5.0, dry_at_s=0)
    voice.heard(audio[160:] + SILENCE * 120, 5.0, dry_at_s=0)
    assert voice.wrong_silence == 0
    assert voice.missing_bytes == 0


def test_more_silence_than_fills_the_frame_is_wrong() -> None:
    voice, audio = spoken(200)
    voice.heard(audio + SILENCE * 120, 5.0, dry_at_s=0)
    voice.heard(SILENCE * 160, 5.0, dry_at_s=0)
    assert voice.wrong_silence == 160


def test_silence_in_the_middle_of_an_answer_is_wrong() -> None:
    voice, audio = spoken(320)
    voice.heard(audio[:160] + SILENCE * 40 + audio[160:], 5.0, dry_at_s=0)
    assert voice.wrong_silence == 40


def test_an_answer_is_begun_from_its_first_byte_to_its_last() -> None:
    voice, audio = spoken(320)
    assert not voice.within_answer
    voice.heard(audio[:160], 5.0, dry_at_s=0)
    assert voice.within_answer
    voice.heard(audio[160:], 5.0, dry_at_s=0)
    assert not voice.within_answer


def test_an_answer_is_timed_once_by_its_first_byte() -> None:
    samples = Samples()
    voice = BotVoice(1, samples)
    voice.begin(320, 5.0)
    audio = voice.next_piece(320)
    with samples.opened() as found:
        voice.heard(audio[:160], 5.004, dry_at_s=4.0)
        voice.heard(audio[160:], 5.030, dry_at_s=5.024)
    assert [round(s, 6) for s in found.to_phone_s] == [0.004]


def test_an_answer_that_waits_for_the_one_before_it_is_not_timed() -> None:
    samples = Samples()
    voice = BotVoice(1, samples)
    voice.begin(160, 5.0)
    with samples.opened() as found:
        voice.heard(voice.next_piece(160), 5.5, dry_at_s=5.3)
    assert len(found.to_phone_s) == 0


def test_a_call_adds_up_both_voices() -> None:
    call = LoadCall(4, Samples())
    call.bot.begin(480, 0.0)
    said = call.bot.next_piece(480)
    call.bot.heard(said[:160], 0.1, dry_at_s=0)
    call.bot.heard(said[320:], 0.1, dry_at_s=0)
    frame = call.caller.next_frame(0.0)
    call.caller.heard(frame, 0.1)
    call.caller.heard(frame, 0.1)
    assert call.lost_bytes == 160
    assert call.wrong_bytes == 160

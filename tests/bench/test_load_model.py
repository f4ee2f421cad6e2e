"""A session's settings after an update are what the real server would echo: what was named, over
what was there."""

from bench.load_model import merged


def test_an_update_changes_only_what_it_names() -> None:
    before = {"voice": "marin", "audio": {"input": {"gain": 1, "noise": None}, "output": {"a": 1}}}
    after = merged(before, {"audio": {"input": {"noise": "near_field"}}})
    assert after == {
        "voice": "marin",
        "audio": {"input": {"gain": 1, "noise": "near_field"}, "output": {"a": 1}},
    }
    assert before["audio"] == {"input": {"gain": 1, "noise": None}, "output": {"a": 1}}


def test_a_format_is_replaced_as_a_whole() -> None:
    before = {"format": {"type": "audio/pcm", "rate": 24000}}
    assert merged(before, {"format": {"type": "audio/pcmu"}}) == {"format": {"type": "audio/pcmu"}}


def test_a_setting_can_be_switched_off() -> None:
    assert merged({"turn_detection": {"type": "server_vad"}}, {"turn_detection": None}) == {
        "turn_detection": None
    }

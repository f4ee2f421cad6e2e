"""A stream is written and read as Media Streams, for this stream alone; what the door lets in and
refuses is in tests/bridge/test_media_socket.py and tests/lab_calls/test_bad_callers.py."""

import json

from app.carriers.twilio.media_door import MediaStream

STREAM = "MZ" + "2" * 32


def test_what_is_written_is_media_streams_for_one_stream() -> None:
    dialect = MediaStream(STREAM)
    audio, mark, clear = map(
        json.loads, (*dialect.audio(b"\xff"), *dialect.mark("m"), *dialect.clear())
    )
    assert audio == {"event": "media", "streamSid": STREAM, "media": {"payload": "/w=="}}
    assert mark == {"event": "mark", "streamSid": STREAM, "mark": {"name": "m"}}
    assert clear == {"event": "clear", "streamSid": STREAM}

"""After the call: what it was about, written down by a text model, and who is told.

    conversation.py  what was said, as it outlives the call
    schema.py        what is asked for, as a strict JSON schema
    prompt.py        the question; the transcript is data in it
    checking.py      what of an answer can be believed
    extraction.py    asked, mended once, and what came of it
    record.py        `after.json`
    targets.py       whose webhooks are told
    ports.py         what all workers must agree on
    intake.py        when a call is over, and everything once

Nothing here is on the path of a call.
"""

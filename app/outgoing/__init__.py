"""Webhooks to the operator's own systems: signed, kept on disk until they arrive, never silent.

    events.py    what is told, as types
    messages.py  an event as it is sent: its id and its bytes
    signing.py   Standard Webhooks signatures
    store.py     the outbox on disk
    sending.py   one attempt
    retries.py   when the next one is
    deliverer.py sends what is due, one process a data folder
    outgoing.py  the door: `Outgoing.emit(event)`

Payloads hold what was said; nothing here logs one.
"""

"""A SIP line of our own: terminates SIP and RTP, and talks to a worker as Asterisk would.

To the worker it is a PBX with `chan_websocket`, so nothing in the worker knows this room. The
signalling is `sippy`'s; RTP, jitter and what is queued for the caller are ours. See
docs/sip-line.md for what it does and, as plainly, for what it does not.
"""

"""Dialling: every due contact is dialled exactly once for each attempt, whoever dies on the way.

    words.py     contacts, attempts and what a worker is given, as types
    writes.py    short transactions, and the points at which a process may die between them
    claims.py    which worker has which contact, and until when
    ledger.py    the attempt's life: intended, requested, placed, ended or given up
    hearing.py   news of the carrier: late, twice, out of order, at any process
    settling.py  what became of a request that nobody can tell of: the carrier is asked
    dial.py      one contact's way to the carrier
    rounds.py    an attempt is over: what is next for the contact, and whether the campaign is over
    steps.py     what is next by the steps of the plan
    running.py   the campaigns: their plans, and which of them run
    watch.py     the contacts that a worker holds, from the request to their next state
    worker.py    the loop

docs/campaign-dialling.md says what happens at a crash.
"""

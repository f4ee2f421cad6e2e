"""Invariant: ids never repeat within a session and are the same for the same seed."""

import random
import re

from app.lab.realtime.ids import Ids


def test_ids_look_like_the_vendors_and_do_not_repeat() -> None:
    ids = Ids(random.Random(1))
    made = [ids.new("item") for _ in range(500)] + [ids.event() for _ in range(500)]
    assert len(set(made)) == 1000
    assert all(re.fullmatch(r"(item|event)_[A-Za-z0-9]{21}", name) for name in made)


def test_the_same_dice_give_the_same_ids() -> None:
    one, same, other = (Ids(random.Random(seed)) for seed in (1, 1, 2))
    assert one.new("resp") == same.new("resp") != other.new("resp")

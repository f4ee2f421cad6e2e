"""Every cause maps to one reason of a closed list, and every reason names who is at fault."""

from typing import get_args, get_type_hints

import pytest

from app.call.endings import (
    CARRIER_ENDINGS,
    HANG_UP_ENDINGS,
    MODEL_ENDINGS,
    SILENCE_ENDINGS,
    EndReason,
)
from app.call.events import CarrierClosed, HangUpRequested, ModelClosed


@pytest.mark.parametrize(
    ("event", "attribute", "endings"),
    [
        (CarrierClosed, "cause", CARRIER_ENDINGS),
        (ModelClosed, "cause", MODEL_ENDINGS),
        (HangUpRequested, "by", HANG_UP_ENDINGS),
    ],
)
def test_every_cause_has_its_ending(
    event: type, attribute: str, endings: dict[str, EndReason]
) -> None:
    causes = get_args(get_type_hints(event)[attribute])

    assert set(causes) == set(endings)
    assert len(set(endings.values())) == len(causes)


def test_every_reason_comes_from_a_cause_or_from_the_heart_itself() -> None:
    from_outside = {*CARRIER_ENDINGS.values(), *MODEL_ENDINGS.values(), *HANG_UP_ENDINGS.values()}
    own = {
        EndReason.INTERNAL_ERROR,
        EndReason.HANDED_ON,
        EndReason.MESSAGE_LEFT,
        EndReason.MACHINE_ANSWERED,
        EndReason.SPENT,
        *SILENCE_ENDINGS.values(),
    }

    assert from_outside | own == set(EndReason)
    assert not from_outside & own


@pytest.mark.parametrize("reason", EndReason)
def test_every_reason_names_who_is_at_fault(reason: EndReason) -> None:
    expected = {"carrier": "carrier", "model": "model", "internal": "us", "drained": "us"}

    assert reason.fault == expected.get(reason.split("_")[0], "nobody")
    assert reason.deliberate is (reason.fault == "nobody")

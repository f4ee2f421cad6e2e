"""All that a call uses is on its bill once; a leg's share begins anew with each leg."""

import pytest

from app.call.bill import Bill
from app.call.events import Usage
from app.call.prices import Prices

PRICES = Prices(1_000_000.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""A dollar for each token that is read."""


def test_a_legs_use_is_on_both_sums_and_anything_else_on_the_calls_alone() -> None:
    bill = Bill()
    bill.pay_of_leg(PRICES, Usage(input_text_tokens=3))
    assert bill.pay(PRICES, Usage(input_text_tokens=4)) == pytest.approx(4.0)
    assert [bill.usd, bill.leg_usd] == pytest.approx([7.0, 3.0])
    bill.leg_taken()
    bill.pay_of_leg(PRICES, Usage(input_text_tokens=1))

    assert [bill.usd, bill.leg_usd] == pytest.approx([8.0, 1.0])


def test_what_has_no_known_price_is_not_on_the_bill() -> None:
    bill = Bill()
    assert bill.pay(None, Usage(input_text_tokens=4)) is None
    assert bill.pay(PRICES, None) is None
    bill.pay_of_leg(None, None)

    assert (bill.usd, bill.leg_usd) == (0.0, 0.0)

"""The search gives the least cost among policies that forget no more, and the fit finds a share."""

import pytest

from bench import cost_study
from bench.cost_model import REALTIME, TALK, TERMS
from bench.cost_policy import NOTHING, RECOMMENDED, policies, truncations
from bench.cost_study import BILLS, World, cheapest, fit, recall, sessions, usd


def test_every_policy_has_its_own_name() -> None:
    names = [policy.name for policy in (*policies(), *truncations())]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("keeps", [1.0, 0.9])
def test_the_cheapest_forgets_no_more_and_costs_no_more_than_doing_nothing(keeps: float) -> None:
    for minutes in (5, 60):
        found = cheapest(minutes, 0.9, keeps)
        assert recall(found, minutes, keeps) == pytest.approx(recall(NOTHING, minutes, keeps))
        assert usd(found, minutes, 0.9) <= usd(NOTHING, minutes, 0.9)
        assert sessions(found, minutes) <= max(1, minutes / cost_study.LEAST_SESSION_MINUTES)


def test_the_recommended_policy_is_near_the_cheapest_where_most_is_cached() -> None:
    for minutes in (5, 15, 30, 60):
        for share in (0.9, 1.0):
            least = usd(cheapest(minutes, share, 1.0), minutes, share)
            assert usd(RECOMMENDED, minutes, share) <= 1.1 * least


def test_the_fit_finds_the_share_that_a_curve_was_made_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = World(TALK, TERMS, REALTIME, transcription=False)
    curve = {m: usd(NOTHING, m, 0.7, older) for m in (1, 5, 15)}
    monkeypatch.setattr(cost_study, "PUBLISHED_USD", curve)
    found = fit(TALK, REALTIME)
    assert found.share == pytest.approx(0.7)
    assert found.worst < 0.05


def test_a_bill_in_dollars_is_so_many_tokens() -> None:
    first = BILLS[0]
    assert first.read_tokens == pytest.approx(132_000 + 228_000)
    assert first.share == pytest.approx(228 / 360)
    assert first.spoken_tokens == pytest.approx(8_125)

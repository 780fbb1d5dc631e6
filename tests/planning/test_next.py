"""Further trials go where they tell most."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.flicker._law import CellLaw
from reliability_stats.flicker._states import Bounds
from reliability_stats.planning.next import STEPS, _entropy, _Outlook, _variance

LIMITS = Bounds.of(0.1, 0.9, None)


def known(successes, n):
    """Fit with the beta distribution of tasks all but known to be uniform."""
    data = rs.Trials.from_counts(
        {"task": range(len(n)), "n": n, "successes": successes}, system=None
    )
    sharp = rs.Beta(2e5, 2e5), rs.Beta(1e5, 2e5)  # mean 1/2, correlation 1/3: Beta(1, 1)
    return rs.fit(data, rs.BetaBinomial(*sharp))


def by_hand(y, n, m):
    """Expected entropy of the state after m more trials under a uniform prior, by brute force."""

    def chances(a, b):
        cuts = stats.beta.cdf([0, 0.1, 0.9, 1], a, b)
        return np.diff(cuts)

    total = 0.0
    for x in range(m + 1):
        predicted = stats.betabinom.pmf(x, m, 1 + y, 1 + n - y)
        total += predicted * stats.entropy(chances(1 + y + x, 1 + n + m - y - x), base=2)
    return total


@pytest.mark.parametrize(("y", "n"), [(0, 4), (2, 4), (4, 4), (9, 10)])
def test_information_against_brute_force(y, n):
    post = known([y], [n])
    law = CellLaw.of([post], LIMITS)
    left = _Outlook.of(law, post, None, LIMITS).left[0]
    for m in (0, 1, 5, 16):
        at = [0, *STEPS].index(m)
        assert left[at] == pytest.approx(by_hand(y, n, m), abs=0.004)


def test_variance_against_brute_force():
    post = known([3], [4])
    law = CellLaw.of([post], LIMITS)
    left = _Outlook.of(law, post, rs.PassHatK(2), LIMITS).left[0]
    for m in (0, 2, 6):
        expected = 0.0
        for x in range(m + 1):
            cell = stats.beta(4 + x, 2 + m - x)
            weight = stats.betabinom.pmf(x, m, 4, 2)
            expected += weight * (cell.moment(4) - cell.moment(2) ** 2)
        assert left[[0, *STEPS].index(m)] == pytest.approx(expected, rel=0.01)


def test_outcomes_that_cannot_happen_count_for_nothing():
    mass, likelihood = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert _entropy(mass, np.eye(2), likelihood) == pytest.approx(0.0)
    assert _variance(mass, np.array([0.0, 1.0]), likelihood) == pytest.approx(0.0)


def test_the_undetermined_come_first():
    post = known([0, 10, 20], [20, 20, 20])
    chosen = rs.next_trials(post, 6)
    assert "1" not in set(chosen["task"])  # ten of twenty is settled
    assert chosen["trials"].sum() == 6
    assert (chosen["gain"] > 0).all()
    assert chosen["gain"].to_numpy() == pytest.approx(chosen["now"] - chosen["expected"])


def test_budget_is_spent_evenly_on_cells_that_are_alike():
    chosen = rs.next_trials(known([4] * 6, [4] * 6), 12)
    assert chosen["trials"].tolist() == [2] * 6
    assert rs.next_trials(known([4] * 6, [4] * 6), 4)["trials"].tolist() == [1] * 4


def test_an_estimand_weighs_cells_by_its_own_variance():
    post = known([0, 4], [4, 4])
    assert rs.next_trials(post, 1, estimand=rs.PassHatK(4))["task"].tolist() == ["1"]
    assert rs.next_trials(post, 1, estimand=rs.PassAtK(4))["task"].tolist() == ["0"]


def test_systems_with_fewer_tasks_gain_more():
    frame = {"system": ["a", "b", "b"], "task": [1, 1, 2], "n": [4] * 3, "successes": [2] * 3}
    post = rs.fit(rs.Trials.from_counts(frame))
    chosen = rs.next_trials(post, 1, estimand=rs.SuccessRate())
    assert chosen["system"].tolist() == ["a"]


def test_conditions_are_kept():
    frame = {"task": [1, 1], "condition": ["x", "y"], "n": [4, 4], "successes": [2, 4]}
    post = rs.fit(rs.Trials.from_counts(frame, system=None, condition="condition"))
    assert "condition" in rs.next_trials(post, 2)


def test_large_budgets_and_tables():
    rng = np.random.default_rng(1)
    n = np.full(20_000, 4)
    data = {"task": range(len(n)), "n": n, "successes": rng.binomial(4, rng.beta(0.5, 0.5, len(n)))}
    chosen = rs.next_trials(rs.fit(rs.Trials.from_counts(data, system=None)), 10**5)
    assert chosen["trials"].sum() == 10**5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0}, "budget must be an integer of at least 1"),
        ({"budget": 5, "estimand": rs.ICC()}, "mean over tasks"),
        ({"budget": 5, "low": 0.9, "high": 0.1}, "low must be smaller"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.next_trials(known([2], [4]), **options)


def test_needs_a_posterior():
    with pytest.raises(rs.ArgumentError, match="takes a Posterior, not Trials"):
        rs.next_trials(rs.Trials.from_array([[1, 0]]), 5)

import numpy as np
import pytest
from scipy.optimize import linprog

from reliability_stats import ArgumentError, PassAtK, PassHatK
from reliability_stats.leaderboard import beta_through, mean_bounds, two_moment_bounds


def test_reference_bounds_and_beta_moments(reference):
    for row in reference["two_moments"]["rows"]:
        low, high = two_moment_bounds(4, row["m1"], row["m2"])
        assert (low, high) == pytest.approx((row["low"], row["high"]), abs=1e-6)
        a, b = beta_through(row["m1"], row["m2"], PassHatK(2).from_beta)
        assert PassHatK(3).from_beta(a, b) == pytest.approx(row["m3"], abs=1e-6)
        assert PassHatK(4).from_beta(a, b) == pytest.approx(row["m4"], abs=1e-6)
        assert low <= row["m4"] <= high
    one = reference["two_moments"]["retail gpt-4o"]
    a, b = beta_through(0.604, 0.491, PassHatK(2).from_beta)
    assert (a, b, 1 / (a + b + 1)) == pytest.approx((one["a"], one["b"], one["rho"]), abs=1e-6)
    assert PassHatK(8).from_beta(a, b) == pytest.approx(one["m8"], abs=1e-6)
    assert two_moment_bounds(8, 0.604, 0.491) == pytest.approx(
        (one["m8_low"], one["m8_high"]), abs=1e-6
    )
    assert mean_bounds(4, 0.604) == pytest.approx(one["mean_only_m4"], abs=1e-6)


def extremes(m1, m2):
    """The two distributions with moments m1 and m2 that reach the bounds: (points, weights)."""
    x, y = m2 / m1, (m1 - m2) / (1 - m1)
    lower = np.array([0, x]), np.array([1 - m1 / x, m1 / x])
    below = (1 - m1) / (1 - y)
    return lower, (np.array([y, 1]), np.array([below, 1 - below]))


def test_two_moment_bounds_are_reached():
    rng = np.random.default_rng(1)
    for _ in range(50):
        m1 = rng.uniform(0.05, 0.95)
        m2 = rng.uniform(m1**2, m1)
        for side, (points, weights) in enumerate(extremes(m1, m2)):
            assert weights.min() >= 0
            assert weights.sum() == pytest.approx(1)
            assert weights @ points == pytest.approx(m1)
            assert weights @ points**2 == pytest.approx(m2)
            for k in (3, 4, 8, 50):
                value = weights @ points**k
                assert two_moment_bounds(k, m1, m2)[side] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("k", [3, 4, 8])
def test_no_distribution_goes_beyond_two_moment_bounds(k):
    grid = np.linspace(0, 1, 1001)
    rng = np.random.default_rng(k)
    for _ in range(5):
        weights = rng.dirichlet(np.full(len(grid), 0.02))
        m1, m2 = weights @ grid, weights @ grid**2
        rows = np.array([np.ones_like(grid), grid, grid**2])
        ends = [sign * linprog(sign * grid**k, A_eq=rows, b_eq=[1, m1, m2]).fun for sign in (1, -1)]
        low, high = two_moment_bounds(k, m1, m2)
        assert low - 1e-9 <= ends[0] <= low + 1e-5
        assert high - 1e-5 <= ends[1] <= high + 1e-9


def test_mean_bounds_are_reached():
    for k in (1, 2, 7):
        low, high = mean_bounds(k, 0.3)
        assert low == pytest.approx(PassHatK(k).from_p([0.3, 0.3, 0.3]))
        assert high == pytest.approx(PassHatK(k).from_p([1.0] * 3 + [0.0] * 7))


def test_known_moments_come_back():
    assert two_moment_bounds(1, 0.4, 0.3) == pytest.approx((0.4, 0.4))
    assert two_moment_bounds(2, 0.4, 0.3) == pytest.approx((0.3, 0.3))


@pytest.mark.parametrize(("m1", "m2"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.5, 0.25)])
def test_edges_of_the_moment_space_are_points(m1, m2):
    low, high = two_moment_bounds(4, m1, m2)
    assert low == pytest.approx(high)
    assert low == pytest.approx({0.0: 0, 1.0: 1, 0.5: 0.5 if m2 == 0.5 else 0.0625}[m1])


def test_bounds_stay_in_order_beside_the_edges():
    rng = np.random.default_rng(2)
    m1 = np.concatenate([10.0 ** -rng.uniform(0, 18, 500), 1 - 10.0 ** -rng.uniform(0, 18, 500)])
    m2 = m1**2 + rng.random(1000) * (m1 - m1**2)
    low, high = two_moment_bounds(5, m1, m2)
    assert ((low >= 0) & (high <= 1)).all()
    assert (low <= high + 1e-15).all()


def test_bounds_take_arrays():
    low, high = two_moment_bounds(4, np.full((2, 3), 0.5), 0.3)
    assert low.shape == high.shape == (2, 3)


def test_beta_through_pass_at_k():
    a, b = beta_through(0.3, 0.55, PassAtK(10).from_beta)
    assert PassAtK(10).from_beta(a, b) == pytest.approx(0.55)
    assert a / (a + b) == pytest.approx(0.3)


def test_beta_through_impossible_figures_stays_finite():
    a, b = beta_through([0.0, 1.0, 0.5], [0.0, 1.0, 0.9], PassHatK(2).from_beta)
    assert np.isfinite([a, b]).all()
    assert (np.array([a, b]) > 0).all()


def test_k_must_be_positive():
    with pytest.raises(ArgumentError, match="at least 1"):
        two_moment_bounds(0, 0.5, 0.3)
    with pytest.raises(ArgumentError, match="at least 1"):
        mean_bounds(0, 0.5)

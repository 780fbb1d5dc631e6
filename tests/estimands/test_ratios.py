"""Persistence, recovery and the intra-class correlation."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from reliability_stats.estimands import (
    ICC,
    Disagreement,
    PassHatK,
    Persistence,
    Recovery,
    SuccessRate,
)
from reliability_stats.exceptions import ExclusionWarning

AWFUL = [1e-300, 1e-9, 0.3, 1.0, 40.0, 1e12, 1e300]


def icc_of_table(outcomes, task):
    """ICC(1) from the analysis of variance table of all outcomes, by statsmodels."""
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    data = pd.DataFrame({"outcome": np.asarray(outcomes, dtype=float), "task": task})
    table = anova_lm(ols("outcome ~ C(task)", data).fit())
    between, within = table["mean_sq"]
    sizes = data.groupby("task").size().to_numpy()
    size = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(sizes) - 1)
    return (between - within) / (between + (size - 1) * within)


def long(n, y):
    """Outcomes one by one."""
    task = np.repeat(np.arange(len(n)), n)
    outcome = np.concatenate([np.arange(size) < wins for size, wins in zip(n, y, strict=True)])
    return outcome, task


@pytest.mark.parametrize("m", [1, 2, 5, 100])
def test_persistence_of_known_p(m):
    p = [Fraction(0), Fraction(1, 10), Fraction(9, 10), Fraction(1)]
    exact = sum(x ** (m + 1) for x in p) / sum(p)
    assert Persistence(m).from_p([float(x) for x in p]) == pytest.approx(float(exact), rel=1e-14)


def test_recovery_of_known_p():
    p = [Fraction(0), Fraction(1, 10), Fraction(9, 10), Fraction(1)]
    exact = sum(x * (1 - x) for x in p) / sum(1 - x for x in p)
    assert Recovery().from_p([float(x) for x in p]) == pytest.approx(float(exact), rel=1e-14)


def test_ratios_of_counts_are_ratios_of_unbiased_means():
    n, y = np.array([4, 5, 6, 4]), np.array([0, 2, 6, 3])
    for m in (1, 2, 3):
        ratio = PassHatK(m + 1).from_counts(n, y) / SuccessRate().from_counts(n, y)
        assert Persistence(m).from_counts(n, y) == pytest.approx(ratio, rel=1e-14)
    mean = SuccessRate().from_counts(n, y)
    ratio = Disagreement().from_counts(n, y) / 2 / (1 - mean)
    assert Recovery().from_counts(n, y) == pytest.approx(ratio, rel=1e-14)


def test_both_means_of_a_ratio_use_the_same_tasks():
    with pytest.warns(ExclusionWarning, match="1 of 3 tasks"):
        value = Persistence(1).from_counts([4, 4, 1], [4, 2, 0])
    assert value == Persistence(1).from_counts([4, 4], [4, 2])


@pytest.mark.parametrize("m", [1, 3, 64, 200])
def test_ratios_of_beta_tasks_keep_their_digits(m, moment):
    for a in AWFUL:
        for b in AWFUL:
            with mpmath.workdps(330 if max(a, b) / min(a, b) > 1e30 else 60):
                kept = moment(a, b, m + 1, 0) / moment(a, b, 1, 0)
                back = moment(a, b, 1, 1) / moment(a, b, 0, 1)
                share = (
                    (moment(a, b, 2, 0) - moment(a, b, 1, 0) ** 2)
                    / moment(a, b, 1, 0)
                    / moment(a, b, 0, 1)
                )
                kept, back, share = float(kept), float(back), float(share)
            assert Persistence(m).from_beta(a, b) == pytest.approx(kept, rel=1e-12, abs=1e-290)
            assert Recovery().from_beta(a, b) == pytest.approx(back, rel=1e-12, abs=1e-290)


def test_correlation_of_beta_tasks(moment):
    for a in AWFUL:
        for b in AWFUL:
            with mpmath.workdps(950):
                mean, other = moment(a, b, 1, 0), moment(a, b, 0, 1)
                share = float((moment(a, b, 2, 0) - mean**2) / (mean * other))
            assert ICC().from_beta(a, b) == pytest.approx(share, rel=1e-12, abs=1e-290), (a, b)


def test_what_cannot_happen_has_no_ratio():
    """Never a success, or never a failure: 0/0, silently NaN."""
    assert np.isnan(Persistence(1).from_p([0.0, 0.0]))
    assert np.isnan(Persistence(1).from_counts([4, 4], [0, 0]))
    assert Persistence(1).from_counts([4, 4], [4, 4]) == 1.0
    assert np.isnan(Recovery().from_p([1.0, 1.0]))
    assert np.isnan(Recovery().from_counts([4, 4], [4, 4]))
    assert Recovery().from_counts([4, 4], [0, 0]) == 0.0


# The correlation


def test_correlation_of_known_p():
    p = [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10), Fraction(1)]
    mean = sum(p) / 4
    exact = (sum(x * x for x in p) / 4 - mean**2) / (mean * (1 - mean))
    assert ICC().from_p([float(x) for x in p]) == pytest.approx(float(exact), rel=1e-14)
    assert ICC().from_p([0.0, 1.0, 1.0]) == pytest.approx(1.0, rel=1e-14)
    assert ICC().from_p([0.3, 0.3, 0.3]) == pytest.approx(0.0, abs=1e-30)
    assert np.isnan(ICC().from_p([[0.0, 0.0], [1.0, 1.0]])).all()


def test_correlation_of_nearly_certain_tasks_does_not_cancel():
    fails = np.array([1.0, 2.0, 3.0]) * 2.0**-45
    exact = fails.var() / (fails.mean() * (1 - fails.mean()))
    assert ICC().from_p(1 - fails) == pytest.approx(exact, rel=1e-9)
    assert ICC().from_p(fails) == pytest.approx(exact, rel=1e-13)


def test_correlation_equals_the_table_of_squares():
    rng = np.random.default_rng(3)
    for _ in range(6):
        n = rng.integers(1, 9, size=12)
        y = rng.binomial(n, rng.beta(0.5, 0.7, size=12))
        assert ICC().from_counts(n, y) == pytest.approx(icc_of_table(*long(n, y)), rel=1e-10)


def test_equal_tasks_give_a_negative_correlation_that_is_not_clipped():
    assert ICC().from_counts([4, 4, 4], [2, 2, 2]) == pytest.approx(-1 / 3)
    # one task alone was repeated: the estimate may then lie even below -1
    n, y = [2, 1, 1], [1, 0, 0]
    assert ICC().from_counts(n, y) == pytest.approx(icc_of_table(*long(n, y)))
    assert ICC().from_counts(n, y) < -1


@pytest.mark.parametrize(
    ("n", "y"),
    [
        ([1, 1, 1], [0, 1, 1]),
        ([4], [2]),
        ([4, 4], [0, 0]),
        ([4, 4], [4, 4]),
        ([1], [1]),
        ([10**6, 7, 1], [10**6, 7, 1]),
    ],
)
def test_no_correlation_without_repetition_tasks_or_variation(n, y):
    assert np.isnan(ICC().from_counts(n, y))


def test_always_the_same_end_is_a_correlation_of_one():
    assert ICC().from_counts([4, 7, 5], [0, 7, 5]) == pytest.approx(1.0, abs=1e-14)
    assert ICC().from_counts([10**6, 2], [10**6, 0]) == pytest.approx(1.0, abs=1e-9)


def test_correlation_of_a_million_trials_and_rare_success():
    n, y = [10**6] * 4, [250_100, 249_900, 250_000, 250_000]
    exact = Fraction(0)
    mean = Fraction(sum(y), sum(n))
    between = sum((Fraction(s, 10**6) - mean) ** 2 for s in y) * 10**6 / 3
    within = sum(Fraction(s * (10**6 - s), 10**6) for s in y) / (4 * 10**6 - 4)
    exact = (between - within) / (between + (10**6 - 1) * within)
    assert ICC().from_counts(n, y) == pytest.approx(float(exact), abs=1e-15)
    rare = ICC().from_counts([10**6] * 4, [1, 0, 0, 0])
    assert rare == pytest.approx(0.0, abs=1e-12)
    assert np.isfinite(rare)


def test_many_units_and_complex_numbers_at_once():
    """As the design-based estimates call it: features of several units, with exact slopes."""
    n = np.array([[4, 5, 6], [4, 4, 4], [1, 1, 1], [4, 4, 4]])
    y = np.array([[0, 3, 6], [4, 4, 4], [0, 1, 1], [0, 0, 0]])
    means = np.stack(
        [ICC().count_features(a, b).mean(axis=0) for a, b in zip(n, y, strict=True)], axis=1
    )
    values = ICC().combine_counts(means, np.full(4, 3.0))
    assert values[0] == pytest.approx(ICC().from_counts(n[0], y[0]))
    assert np.isnan(values[1:]).all()
    step = 1e-20
    for j in range(4):
        moved = means[:, 0].astype(complex)
        moved[j] += 1j * step
        slope = ICC().combine_counts(moved, 3.0).imag / step
        up, down = means[:, 0].copy(), means[:, 0].copy()
        up[j], down[j] = up[j] + 1e-6, down[j] - 1e-6
        about = (ICC().combine_counts(up, 3.0) - ICC().combine_counts(down, 3.0)) / 2e-6
        assert slope == pytest.approx(about, rel=1e-5)


def test_correlation_is_unbiased_to_first_order():
    """The mean squares estimate their expectations: enumerate all outcomes of two tasks."""
    from itertools import product
    from math import comb

    p, n = (0.2, 0.7), (3, 4)
    between = within = 0.0
    for y in product(range(4), range(5)):
        chance = np.prod(
            [comb(m, s) * q**s * (1 - q) ** (m - s) for m, s, q in zip(n, y, p, strict=True)]
        )
        total = sum(y) ** 2 / 7
        parts = sum(s**2 / m for m, s in zip(n, y, strict=True))
        between += chance * (parts - total)
        within += chance * (sum(y) - parts) / 5
    noise = sum(q * (1 - q) * (m - 1) for q, m in zip(p, n, strict=True)) / 5
    assert within == pytest.approx(noise)
    mean = sum(q * m for q, m in zip(p, n, strict=True)) / 7
    spread = sum(m * (q - mean) ** 2 for q, m in zip(p, n, strict=True))
    assert between == pytest.approx(
        spread + sum(q * (1 - q) * (1 - m / 7) for q, m in zip(p, n, strict=True))
    )

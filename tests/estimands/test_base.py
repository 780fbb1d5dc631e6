"""What every estimand shares: three ways of evaluating, identity, errors; new ones from outside."""

import copy
import dataclasses
import pickle
import warnings
from fractions import Fraction
from math import comb

import mpmath
import numpy as np
import pytest

from reliability_stats.estimands import (
    ICC,
    Dependable,
    Disagreement,
    Estimand,
    FlickerMass,
    Gap,
    GPassAtK,
    MeanFunction,
    MeanGPassAtK,
    PassAtK,
    PassHatK,
    Persistence,
    Reach,
    Recovery,
    ScoreMean,
    SuccessRate,
    TaskMean,
)
from reliability_stats.exceptions import ArgumentError, ExclusionWarning

EVERY = [
    (SuccessRate(), "success_rate", 1),
    (PassAtK(4), "pass@4", 4),
    (PassHatK(4), "pass^4", 4),
    (Gap(4), "gap@4", 4),
    (Persistence(), "persistence@1", 2),
    (Persistence(3), "persistence@3", 4),
    (Recovery(), "recovery", 2),
    (Disagreement(), "disagreement", 2),
    (ICC(), "icc", 2),
    (GPassAtK(8, 0.5), "g-pass@8_0.5", 8),
    (GPassAtK(8, 1), "g-pass@8_1", 8),
    (MeanGPassAtK(8), "mg-pass@8", 8),
    (Reach(), "reach", np.inf),
    (Reach(0.2), "reach(0.2)", np.inf),
    (FlickerMass(), "flicker_mass", np.inf),
    (FlickerMass(0.05, 0.95), "flicker_mass(0.05,0.95)", np.inf),
    (Dependable(), "dependable", np.inf),
    (Dependable(0.99), "dependable(0.99)", np.inf),
]
ESTIMANDS = [row[0] for row in EVERY]
BETAS = [(1.0, 1.0), (0.3, 0.3), (2.5, 0.7), (1e-9, 2.0), (1e7, 3e6)]


def pmf(n, y, p):
    return comb(n, y) * p**y * (1 - p) ** (n - y)


@pytest.mark.parametrize(("estimand", "name", "degree"), EVERY, ids=repr)
def test_names_and_degrees(estimand, name, degree):
    assert estimand.name == name
    assert estimand.degree == degree


def test_known_p_by_definition(scored, exact):
    p = [Fraction(0), Fraction(1, 8), Fraction(1, 2), Fraction(7, 8), Fraction(1)]
    values = [exact.kernel(scored, x) for x in p]
    assert scored.kernel(np.array(p, dtype=float)) == pytest.approx(
        [float(x) for x in values], rel=1e-14
    )
    assert scored.from_p([float(x) for x in p]) == pytest.approx(float(sum(values) / 5), rel=1e-14)


def test_counts_by_definition(scored, exact):
    k = int(scored.degree)
    for n in range(2 * k + 3):
        y = np.arange(n + 1)
        once = scored.unbiased(np.full(n + 1, n), y)
        twice = scored.unbiased_square(np.full(n + 1, n), y)
        if n < k:
            assert np.isnan(once).all()
        else:
            assert once == pytest.approx([float(exact.drawn(scored, n, s)) for s in y], rel=1e-13)
        if n < 2 * k:
            assert np.isnan(twice).all()
        else:
            assert twice == pytest.approx(
                [float(exact.drawn(scored, n, s, 2)) for s in y], rel=1e-12
            )


@pytest.mark.parametrize("p", [Fraction(1, 100), Fraction(1, 3), Fraction(1, 2), Fraction(19, 20)])
def test_estimates_from_counts_are_unbiased(scored, exact, p):
    """Enumerate all outcomes: the chances of y times the estimates add up to g(p) and g(p)^2."""
    k = int(scored.degree)
    target = float(exact.kernel(scored, p))
    for trials, estimate, truth in (
        (k, scored.unbiased, target),
        (k + 3, scored.unbiased, target),
        (2 * k, scored.unbiased_square, target**2),
        (2 * k + 3, scored.unbiased_square, target**2),
    ):
        y = np.arange(trials + 1)
        chances = [float(pmf(trials, int(s), p)) for s in y]
        assert np.dot(chances, estimate(np.full(len(y), trials), y)) == pytest.approx(
            truth, abs=1e-12
        )


def test_beta_by_definition(scored, exact):
    for a, b in BETAS:
        with mpmath.workdps(60):
            once, twice = float(exact.beta(scored, a, b)), float(exact.beta(scored, a, b, 2))
        assert scored.from_beta(a, b) == pytest.approx(once, rel=1e-12)
        assert scored.square_from_beta(a, b) == pytest.approx(twice, rel=1e-12)


def test_closed_forms_equal_the_scores_they_belong_to(scored):
    """The general walk over scores is another way to every closed form."""
    a, b = np.array(BETAS).T
    n, y = np.array([12, 9, 8]), np.array([5, 0, 8])
    p = np.linspace(0, 1, 7)
    for general, closed in (
        (ScoreMean.kernel(scored, p), scored.kernel(p)),
        (ScoreMean.from_beta(scored, a, b), scored.from_beta(a, b)),
        (ScoreMean.square_from_beta(scored, a, b), scored.square_from_beta(a, b)),
        (ScoreMean.unbiased(scored, n, y), scored.unbiased(n, y)),
    ):
        assert general == pytest.approx(closed, rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=repr)
def test_beta_is_the_mean_over_tasks(estimand):
    """Quantiles of a beta distribution are tasks that represent it."""
    from scipy import stats

    levels = (np.arange(40_000) + 0.5) / 40_000
    for a, b in ((2.0, 3.0), (0.5, 0.4)):
        p = stats.beta(a, b).ppf(levels)
        assert estimand.from_beta(a, b) == pytest.approx(estimand.from_p(p), abs=2e-4)


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=repr)
def test_leading_axes_are_kept(estimand):
    p = np.linspace(0.05, 0.95, 24).reshape(2, 3, 4)
    values = estimand.from_p(p)
    assert values.shape == (2, 3)
    assert values[1, 2] == pytest.approx(estimand.from_p(p[1, 2]))
    assert estimand.from_beta(np.ones((2, 1)), np.ones(3)).shape == (2, 3)
    assert np.shape(estimand.from_beta(1, 2)) == ()


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=repr)
def test_values_stay_within_bounds_and_monotone_ones_grow(estimand):
    low, high = estimand.bounds
    p = np.linspace(0, 1, 101)[:, None]
    p = np.concatenate([p, np.full_like(p, 0.3)], axis=1)
    values = estimand.from_p(p)
    assert ((values >= low) & (values <= high)).all()
    grows = bool((np.diff(values) >= -1e-15).all())
    assert grows or not estimand.monotone
    if isinstance(estimand, TaskMean):
        assert grows == estimand.monotone


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=repr)
def test_identity(estimand):
    twin = type(estimand)(
        **{f.name: getattr(estimand, f.name) for f in dataclasses.fields(estimand) if f.init}
    )
    assert estimand == twin
    assert hash(estimand) == hash(twin)
    for made in (
        pickle.loads(pickle.dumps(estimand)),
        copy.deepcopy(estimand),
        dataclasses.replace(estimand),
    ):
        assert made == estimand
        assert made.name == estimand.name
        assert type(made) is type(estimand)
    import reliability_stats.estimands as home

    assert eval(repr(estimand), vars(home).copy()) == estimand
    with pytest.raises(dataclasses.FrozenInstanceError):
        estimand.k = 3


def test_special_cases_are_not_mistaken_for_what_they_equal():
    assert SuccessRate() != PassHatK(1)
    assert Disagreement() != Gap(2)
    assert GPassAtK(4, 0.5) != GPassAtK(4, 0.45)
    for special, general in ((SuccessRate(), PassHatK(1)), (Disagreement(), Gap(2))):
        assert list(dict.fromkeys([special, general, special])) == [special, general]
        assert {special: 1, general: 2}[special] == 1
        assert special.from_beta(0.4, 0.7) == general.from_beta(0.4, 0.7)


def test_all_that_is_exported_is_tested_here():
    import reliability_stats.estimands as home

    bases = {"Estimand", "TaskMean", "MeanFunction", "ScoreMean", "Urn"}
    of_conditions = {
        name
        for name in home.__all__
        if name != "Contrast" and issubclass(getattr(home, name), home.Contrast)
    }  # tests/estimands/test_perturbation.py
    listed = set(home.__all__) - bases - of_conditions - {"Contrast"}
    assert listed == {type(e).__name__ for e in ESTIMANDS}


# --- from_counts


@pytest.mark.parametrize("estimand", [e for e in ESTIMANDS if np.isfinite(e.degree)], ids=repr)
def test_weights_stand_for_repeated_tasks(estimand):
    n, y, w = [8, 9, 8, 8, 10], [0, 3, 8, 8, 9], [3, 1, 0, 2, 1]
    repeated = estimand.from_counts(np.repeat(n, w), np.repeat(y, w))
    assert estimand.from_counts(n, y, weights=w) == pytest.approx(repeated, rel=1e-13)
    assert isinstance(repeated, float)


@pytest.mark.parametrize(
    "estimand", [PassAtK(4), PassHatK(4), Gap(4), Persistence(3), GPassAtK(4, 0.5)], ids=repr
)
def test_too_few_trials_give_nan_and_say_so(estimand):
    with pytest.warns(ExclusionWarning, match=r"2 of 2 tasks are left out.*4 trials.*has 3"):
        value = estimand.from_counts([3, 3], [3, 0])
    assert np.isnan(value)
    with pytest.warns(ExclusionWarning, match=r"7 of 9 tasks"):
        some = estimand.from_counts([4, 3], [2, 3], weights=[2, 7])
    assert some == estimand.from_counts([4], [2])
    with pytest.warns(ExclusionWarning, match=r"7 of 7 tasks"):
        assert np.isnan(estimand.from_counts([4, 3], [2, 3], weights=[0, 7]))


def test_nothing_is_said_when_nothing_is_left_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert PassHatK(2).from_counts([2, 1], [2, 1], weights=[1, 0]) == 1.0


@pytest.mark.parametrize("estimand", [Reach(), FlickerMass(), Dependable()], ids=repr)
def test_shares_need_a_model(estimand):
    with pytest.warns(ExclusionWarning, match="no unbiased estimate from counts; fit a model"):
        assert np.isnan(estimand.from_counts([4, 4], [0, 4]))


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=repr)
def test_tasks_without_trials_are_left_out(estimand):
    with pytest.warns(ExclusionWarning):
        value = estimand.from_counts([0, 10, 10], [0, 4, 7])
    if np.isfinite(estimand.degree):
        assert value == estimand.from_counts([10, 10], [4, 7])


def test_huge_counts_do_not_overflow():
    n = np.full(3, 3_000_000_000)
    y = np.array([0, 1_500_000_000, 3_000_000_000])
    assert SuccessRate().from_counts(n, y) == 0.5
    assert PassHatK(2).from_counts(n, y) == pytest.approx((0.25 + 1) / 3, rel=1e-9)
    assert Gap(2).from_counts(n.astype(np.int64), y) == pytest.approx(0.5 / 3, rel=1e-9)
    assert ICC().from_counts(n, y) == pytest.approx(2 / 3 + 2 / 27, abs=0.1)
    small = np.array([200, 200], dtype=np.uint8)
    assert PassAtK(3).from_counts(small, np.array([0, 200], dtype=np.uint8)) == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "n is empty"),
        (([2, 2], [1]), "one length"),
        (([2], [3]), "must not exceed n, but entry 0 has 3 successes in 2"),
        (([2.5], [1]), "integers"),
        (([2], [-1]), "at least 0"),
        (([2], [np.nan]), "nan"),
        ((["2"], [1]), "integers"),
    ],
)
def test_bad_counts_are_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        SuccessRate().from_counts(*arguments)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "one entry for each of 2 rows"),
        ([1, -1], "entry 1 is -1"),
        ([1, np.nan], "entry 1 is nan"),
        ([np.inf, 1], "entry 0 is inf"),
        ([0, 0], "all 0"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ArgumentError, match=message):
        SuccessRate().from_counts([2, 2], [1, 1], weights=weights)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([], "p is empty"),
        (np.zeros((3, 0)), "p is empty"),
        ([0.2, 1.2], "entry 1 is 1.2"),
        ([[0.1, 0.2], [-0.5, 0.3]], r"entry \(1, 0\) is -0.5"),
    ],
)
@pytest.mark.parametrize("estimand", [SuccessRate(), ICC(), Reach()], ids=repr)
def test_bad_probabilities_are_refused(estimand, p, message):
    with pytest.raises(ArgumentError, match=message):
        estimand.from_p(p)


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=repr)
def test_unknown_p_stays_unknown(estimand):
    value = estimand.from_p([[0.5, np.nan], [0.5, 0.25]])
    assert np.isnan(value[0])
    assert np.isfinite(value[1])


def test_one_p_is_one_task():
    assert SuccessRate().from_p(0.25) == 0.25


# --- arguments

BAD_K = [0, -1, 1.5, 2.0, True, "3", None, [2], np.array([2]), np.nan, np.bool_(True)]


@pytest.mark.parametrize("k", BAD_K, ids=repr)
@pytest.mark.parametrize(
    "make", [PassAtK, PassHatK, Gap, MeanGPassAtK, Persistence, lambda k: GPassAtK(k, 0.5)]
)
def test_bad_k_is_refused(make, k):
    with pytest.raises(ArgumentError, match=r"[km] must be an integer of at least [12]"):
        make(k)


def test_a_gap_needs_two_trials():
    with pytest.raises(ArgumentError, match="k must be an integer of at least 2, not 1"):
        Gap(1)
    with pytest.raises(ArgumentError, match="m must be"):
        Persistence(0)


@pytest.mark.parametrize("make", [PassAtK, PassHatK, Gap, MeanGPassAtK, Persistence])
def test_numpy_integers_are_integers(make):
    made = make(np.int32(3))
    assert made == make(3)
    assert hash(made) == hash(make(3))
    assert type(next(iter(vars(made).values()))) is int
    assert repr(made) == repr(make(3))


@pytest.mark.parametrize("x", [-0.1, 1.1, np.nan, "0.5", None, True])
def test_bad_shares_are_refused(x):
    for make, name in (
        (Reach, "low"),
        (Dependable, "high"),
        (lambda v: FlickerMass(v, 0.9), "low"),
        (lambda v: FlickerMass(0.1, v), "high"),
        (lambda v: GPassAtK(4, v), "tau"),
    ):
        with pytest.raises(ArgumentError, match=rf"{name} must be a number in \[0, 1\]"):
            make(x)
    with pytest.raises(ArgumentError, match="low must be smaller than high"):
        FlickerMass(0.9, 0.1)


# --- new estimands from outside


@dataclasses.dataclass(frozen=True)
class Nearly(ScoreMean):
    """At most one failure in k trials: three lines."""

    k: int

    @property
    def name(self):
        return f"nearly@{self.k}"

    def scores(self):
        return np.arange(self.k + 1) >= self.k - 1


@dataclasses.dataclass(frozen=True)
class Kept(MeanFunction):
    """What is kept of capability."""

    k: int = 4

    @property
    def name(self):
        return f"kept@{self.k}"

    @property
    def parts(self):
        return PassHatK(self.k), PassAtK(self.k)

    def combine(self, *means):
        return means[0] / means[1]


@dataclasses.dataclass(frozen=True)
class RootVariance(TaskMean):
    """No polynomial: only a model gives it."""

    name = "root_variance"
    degree = np.inf

    def kernel(self, p):
        p = np.asarray(p)
        return (p * (1 - p)) ** 0.5

    def unbiased(self, n, successes):
        return np.full(np.shape(n), np.nan)

    def unbiased_square(self, n, successes):
        return np.full(np.shape(n), np.nan)

    def from_beta(self, a, b):
        from scipy.special import beta

        return beta(a + 0.5, b + 0.5) / beta(a, b)

    def square_from_beta(self, a, b):
        return a * b / (a + b) / (a + b + 1)


def test_a_new_score_needs_its_name_and_scores():
    new = Nearly(3)
    assert (new.degree, new.bounds, new.monotone) == (3, (0.0, 1.0), True)
    assert new.from_p([0.5]) == pytest.approx(0.5)
    assert new.from_counts([4], [3]) == pytest.approx(1.0)
    assert new.from_counts([6], [3]) == pytest.approx(0.5)
    assert new.from_beta(1, 1) == pytest.approx(0.5)
    p, y = Fraction(1, 3), np.arange(7)
    chances = [float(pmf(6, int(s), p)) for s in y]
    square = new.unbiased_square(np.full(7, 6), y)
    assert np.dot(chances, square) == pytest.approx(float(3 * p**2 - 2 * p**3) ** 2, abs=1e-13)
    assert new.from_beta(0.3, 2) == pytest.approx(GPassAtK(3, 2 / 3).from_beta(0.3, 2))


def test_a_new_function_of_means_needs_its_parts():
    new = Kept()
    assert (new.degree, new.bounds) == (4, (0.0, 1.0))
    assert new.from_p([1.0, 0.5]) == pytest.approx((1 + 1 / 16) / (1 + 15 / 16))
    assert new.from_counts([4, 4], [4, 2]) == 0.5
    assert new.from_beta(1, 1) == pytest.approx((1 / 5) / (4 / 5))
    assert np.isnan(new.from_counts([4], [0]))
    assert np.isnan(new.from_p([0.0]))


def test_a_kernel_that_is_no_polynomial_works_with_a_model():
    new = RootVariance()
    assert new.from_beta(1.0, 1.0) == pytest.approx(np.pi / 8)
    assert new.from_p([0.5, 0.0]) == 0.25
    with pytest.warns(ExclusionWarning, match="fit a model"):
        assert np.isnan(new.from_counts([4], [2]))


@pytest.mark.parametrize("base", [Estimand, TaskMean, ScoreMean, MeanFunction])
def test_an_estimand_without_definition_cannot_be_made(base):
    with pytest.raises(TypeError, match="abstract"):
        base()

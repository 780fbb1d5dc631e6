"""Incident rates: figures from elsewhere, brute-force integrals, edges, and recovery of truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from reliability_stats.exceptions import ArgumentError, ModelError, TrialDataError
from reliability_stats.instruments import IncidentRates, Incidents, zero_incident_upper
from reliability_stats.instruments._gamma_poisson import log_density

COUNTS, EXPOSURE = np.array([9, 2, 0, 1]), np.array([100.0, 100.0, 50.0, 200.0])


def incidents(counts=COUNTS, exposure=EXPOSURE, **options):
    names = [f"c{i}" for i in range(len(counts))]
    table = {"failure_class": names, "incidents": counts, "exposure": exposure}
    return Incidents.from_counts(pd.DataFrame(table), **options)


def test_jeffreys_figures():
    post = IncidentRates(pooling="none").fit(incidents([7, 0], [1200, 1200]))
    table = post.summary()
    assert table["mean"][0] == pytest.approx(0.00625)
    assert table["lower"][0] == pytest.approx(0.0026092, abs=5e-8)
    assert table["upper"][0] == pytest.approx(0.0114535, abs=5e-8)
    assert list(table["identified"]) == ["yes", "model"]
    next_ = post.predict(100)
    assert next_["p_none"][0] == pytest.approx(0.548636, abs=5e-7)
    exact = stats.nbinom(7.5, 1200 / 1300)
    assert next_["upper"][0] == exact.ppf(0.975)
    assert next_["sd"][0] == pytest.approx(exact.std())
    one_sided = IncidentRates(pooling="none").fit(incidents([0], [1200])).summary(prob=0.9)
    assert one_sided["upper"][0] == pytest.approx(0.0016006, abs=5e-8)


def test_zero_incident_bounds():
    assert zero_incident_upper(1200) == pytest.approx(-np.log(0.05) / 1200)
    assert zero_incident_upper(1200, prior="uniform") == pytest.approx(0.0024964, abs=5e-8)
    assert zero_incident_upper(1200, prior="jeffreys") == pytest.approx(0.0016006, abs=5e-8)
    with pytest.raises(ArgumentError, match="exposure must be a positive number"):
        zero_incident_upper(0)
    with pytest.raises(ArgumentError, match="prior must be one of"):
        zero_incident_upper(10, prior="flat")


@pytest.mark.parametrize("seen_only", [False, True])
def test_partial_pooling_agrees_with_brute_force(seen_only):
    """Sum over mean and shape by Gauss-Legendre in other coordinates, with scipy's own pmf."""
    keep = COUNTS > 0 if seen_only else COUNTS >= 0
    counts, exposure = COUNTS[keep], EXPOSURE[keep]
    x, weight = special.roots_legendre(300)
    angle, w = (x[:, None] + 1) * np.pi / 4, (x + 1) / 2
    s = np.sin(angle) ** 2  # beta(1/2, 1/2), of which the angle is uniform
    shape, mean = np.broadcast_arrays(1 / w - 1, s / (1 - s) / exposure.mean())
    p = shape / (shape + mean * exposure[:, None, None])
    like = stats.nbinom.pmf(counts[:, None, None], shape, p)
    like = (like / (1 - p**shape) if seen_only else like).prod(axis=0)
    like = like * weight[:, None] * weight
    post = IncidentRates().fit(incidents(counts, exposure, seen_only=seen_only))
    for i, (y, e) in enumerate(zip(counts, exposure, strict=True)):
        rate = (shape + y) / (shape / mean + e)
        want = (like * rate).sum() / like.sum()
        assert post.summary()["mean"][i] == pytest.approx(want, rel=1e-3)


def test_quantiles_and_predictions_agree_with_draws():
    post = IncidentRates().fit(incidents())
    fit = post.fits[0]
    rng = np.random.default_rng(0)
    node = rng.choice(len(fit.weight), p=fit.weight, size=400_000)
    for i in range(4):
        rate = rng.gamma(fit.mixture.shape[i, node]) / fit.mixture.rate[i, node]
        ends = np.quantile(rate, [0.025, 0.975])
        row = post.summary().loc[i]
        assert ends == pytest.approx(row[["lower", "upper"]].to_numpy(float), rel=0.05, abs=1e-4)
        number = rng.poisson(rate * 60)
        next_ = post.predict(60).loc[i]
        assert next_["p_none"] == pytest.approx((number == 0).mean(), abs=0.004)
        assert next_["mean"] == pytest.approx(number.mean(), rel=0.02)
        assert next_["upper"] == pytest.approx(np.quantile(number, 0.975), abs=1)


def test_density_is_that_of_negative_binomials():
    y, e = np.array([5, 0, 300]), np.array([1.0, 2.0, 0.5])
    x, v = np.array([[1.3, -2.0]]), np.array([[0.4, 3.0]])
    got = log_density(y, e, seen_only=False)(np.zeros(1, int), x, v)
    prior = stats.betaprime(0.5, 0.5).logpdf(np.exp(x)) + x
    prior += stats.logistic.logpdf(v)
    size, mean = np.exp(v)[..., None], np.exp(x)[..., None] * e / e.mean()
    like = stats.nbinom.logpmf(y, size, size / (size + mean)).sum(-1)
    constant = special.gammaln(y + 1.0).sum() - (y * np.log(e / e.mean())).sum() + np.log(np.pi)
    assert got == pytest.approx(prior + like + constant)


def test_pooling_shrinks_towards_the_others():
    alone = IncidentRates(pooling="none").fit(incidents([10] * 9 + [0], [100.0] * 10)).summary()
    post = IncidentRates().fit(incidents([10] * 9 + [0], [100.0] * 10))
    assert post.summary()["mean"][9] > 3 * alone["mean"][9]
    assert post.classes_differ()["spread"][0] < 1


def test_events_with_and_without_listed_classes(make_frame):
    data = make_frame(
        {
            "kind": ["tool, <b>", "plan", "tool, <b>"],
            "who": ["A", "A", "B"],
            "day": ["2025-01-01", "2025-02-01", "2025-01-05"],
        }
    )
    names = {"failure_class": "kind", "system": "who", "time": "day"}
    exposure = {"A": 10, "B": 20, "C": 5}
    known = Incidents.from_events(
        data, **names, exposure=exposure, classes=["plan", "tool, <b>", "context"]
    )
    assert known.systems == ("A", "B", "C")
    assert known.classes == ("plan", "tool, <b>", "context")
    assert known.incidents.tolist() == [1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert not known.seen_only
    seen = Incidents.from_events(data, **names, exposure=exposure)
    assert seen.seen_only
    assert seen.incidents.tolist() == [1, 1, 0, 1, 0, 0]
    post = IncidentRates().fit(known)
    assert "&lt;" not in repr(post)
    assert list(post.total()["failure_class"]) == ["(all)"] * 3
    assert len(post.predict(3)) == 12


def test_seen_classes_are_not_all_classes():
    """Singletons show that many classes have a small rate; listing hides those that had none."""
    table = incidents([1] * 20, [100.0] * 20)
    shown = incidents([1] * 20, [100.0] * 20, seen_only=True)
    given = IncidentRates().fit(table).summary()["mean"]
    guarded = IncidentRates().fit(shown).summary()["mean"]
    assert guarded[0] < 0.8 * given[0]


def test_edges():
    assert np.isfinite(IncidentRates().fit(incidents([0], [5.0])).summary()["upper"][0])
    assert IncidentRates().fit(incidents([0] * 5, [5.0] * 5)).summary()["upper"].max() < 3 / 5
    huge = IncidentRates().fit(incidents([10**6, 10**6], [1.0, 1.0])).summary()
    assert huge["sd"][0] == pytest.approx(1000, rel=0.05)
    assert huge["mean"][0] == pytest.approx(10**6, rel=1e-3)
    unit = IncidentRates().fit(incidents(COUNTS, EXPOSURE * 1e-9)).summary()["mean"] * 1e-9
    assert unit.to_numpy() == pytest.approx(
        IncidentRates().fit(incidents()).summary()["mean"].to_numpy(), rel=1e-3
    )
    between = IncidentRates(pooling="none").fit(incidents([0], [5.0])).exposure_between()
    assert between["upper"][0] > 1000


def test_without_exposure_rates_are_not_identified():
    events = Incidents.from_events({"failure_class": ["a", "b"]})
    assert "not identified" in repr(events)
    with pytest.raises(ModelError, match="Rates are not identified"):
        IncidentRates().fit(events)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"failure_class": ["a", "a"], "incidents": [1, 2], "exposure": [1, 1]},
         r"failure_class in row 1 .* repeat those of row 0"),
        ({"failure_class": ["a", "b"], "incidents": [1, -2], "exposure": [1, 1]},
         r"incidents in row 1 .*'b'.* is -2; it must be a whole number of at least 0"),
        ({"failure_class": ["a", "b"], "incidents": [1, 2], "exposure": [1, 0]},
         r"exposure in row 1 .* is 0; it must be a finite number above 0"),
        ({"failure_class": ["a", None], "incidents": [1, 2], "exposure": [1, 1]},
         "no failure_class in row 1"),
    ],
)  # fmt: skip
def test_bad_tables(table, message):
    with pytest.raises(TrialDataError, match=message):
        Incidents.from_counts(table)


def test_bad_arguments():
    events = {"failure_class": ["a"], "system": ["A"]}
    with pytest.raises(ArgumentError, match="no entry for system 'A'"):
        Incidents.from_events(events, system="system", exposure={"B": 1})
    with pytest.raises(TrialDataError, match="must be one of 'x'"):
        Incidents.from_events(events, classes=["x"])
    with pytest.raises(ArgumentError, match="classes must be a list of names"):
        Incidents.from_events(events, classes="x")
    with pytest.raises(ArgumentError, match="fit takes Incidents"):
        IncidentRates().fit(events)
    with pytest.raises(ArgumentError, match="pooling must be one of"):
        IncidentRates(pooling="full")
    unequal = IncidentRates().fit(incidents())
    with pytest.raises(ModelError, match="exposures from 50 to 200"):
        unequal.total()
    assert len(unequal.predict(5)) == 4
    two = {"system": ["A", "B"], "failure_class": ["a", "a"]}
    with pytest.raises(ArgumentError, match="one number, but there are 2 systems"):
        Incidents.from_events(two, system="system", exposure=3)


def test_intervals_hold_the_truth():
    """Ranks of rates among draws are uniform when truths come from the prior."""
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(60):
        expected = stats.betaprime(0.5, 0.5).rvs(random_state=rng)
        shape = 1 / rng.uniform() - 1
        rate = rng.gamma(shape, expected / shape, size=8)
        if rate.max() > 1e7:
            continue
        post = IncidentRates().fit(incidents(rng.poisson(rate), np.ones(8)))
        below = post.fits[0].mixture.cdf(rate)
        inside += [(b > 0.025) and (b < 0.975) for b in below]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.035)

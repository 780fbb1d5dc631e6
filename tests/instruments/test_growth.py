"""Power-law processes: published estimates, plain integrals, exact intervals, and edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from reliability_stats.exceptions import ArgumentError, ModelError, TrialDataError
from reliability_stats.instruments import incident_growth
from reliability_stats.instruments._power_law import Process

# reliawiki.com, Crow-AMSAA (NHPP), failure times of a development test, failure-terminated:
# published estimates beta = .6142 and lambda = .4239.
RELIAWIKI = [
    *(2.7, 10.3, 12.5, 30.6, 57, 61.3, 80, 109.5, 125, 128.6, 143.8, 167.9, 229.2, 296.7),
    *(320.6, 328.2, 366.2, 396.7, 421.1, 438.2, 501.2, 620),
]


def test_published_estimates():
    growth = incident_growth(RELIAWIKI)
    row = growth.estimates().iloc[0]
    assert row["truncated"] == "failure"
    assert round(row["shape"], 4) == 0.6142
    assert round(row["scale"], 4) == 0.4239
    assert row["shape"] == pytest.approx(0.6142104, abs=5e-8)
    assert row["scale"] == pytest.approx(0.4239422, abs=5e-8)
    assert row["rate_now"] == pytest.approx(0.0217946, abs=5e-8)
    assert row["exposure_between"] == pytest.approx(45.8830, abs=5e-5)
    assert row["shape_unbiased"] == pytest.approx(0.5583731, abs=5e-8)
    assert row["p_rarer"] == pytest.approx(0.99706, abs=5e-6)
    shape = growth.summary().iloc[0]
    assert shape["lower"] == pytest.approx(0.3629238, abs=5e-8)
    assert shape["upper"] == pytest.approx(0.8623620, abs=5e-8)


def test_published_tests_of_trend():
    tests = incident_growth(RELIAWIKI).tests(simulations=999).set_index("test")
    assert tests.loc["laplace", "statistic"] == pytest.approx(-2.78316, abs=5e-6)
    assert tests.loc["military handbook", "statistic"] == pytest.approx(71.63669, abs=5e-6)
    assert tests.loc["military handbook", "df"] == 42
    assert tests.loc["military handbook", "p"] == pytest.approx(0.005875, abs=5e-7)
    assert tests.loc["cramer-von mises", "statistic"] == pytest.approx(0.0492807, abs=5e-8)
    assert tests.loc["cramer-von mises", "p"] > 0.5


def test_time_truncation_by_hand():
    times, end = np.array([1.0, 4.0, 6.0, 9.0]), 10.0
    row = incident_growth(times, end=end).estimates().iloc[0]
    s = np.log(end / times).sum()
    assert row["shape"] == pytest.approx(4 / s)
    assert row["shape_unbiased"] == pytest.approx(3 / s)
    assert row["scale"] == pytest.approx(4 / end ** (4 / s))
    tests = incident_growth(times, end=end).tests(simulations=99).set_index("test")
    assert tests.loc["laplace", "statistic"] == pytest.approx(0.0)
    assert tests.loc["military handbook", "df"] == 8
    assert tests.loc["military handbook", "statistic"] == pytest.approx(2 * s)


@pytest.mark.parametrize("end", [None, 700.0])
def test_posterior_agrees_with_a_plain_grid_of_both_parameters(end):
    """Sum likelihood times prior over 900 x 900 values of ln lambda and ln beta."""
    t = np.array(RELIAWIKI)
    until = t[-1] if end is None else end
    beta = np.exp(np.linspace(-2.5, 1.0, 900))
    expected = np.exp(np.linspace(1.5, 4.5, 900))[:, None]  # lambda T^beta, whose Jacobian cancels
    logs = len(t) * (np.log(expected) - beta * np.log(until) + np.log(beta)) - expected
    logs = logs + (beta - 1) * np.log(t).sum() - (np.log(beta) if end is None else 0.0)
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    table = incident_growth(t, end=end).summary().set_index("estimand")
    rate = expected * beta / until
    values = {"shape": np.broadcast_to(beta, weight.shape), "rate_now": rate}
    for name, value in values.items():
        mean = (value * weight).sum()
        assert table.loc[name, "mean"] == pytest.approx(mean, rel=1e-5)
        sd = np.sqrt(((value - mean) ** 2 * weight).sum())
        assert table.loc[name, "sd"] == pytest.approx(sd, rel=1e-4)
        assert weight[value <= table.loc[name, "lower"]].sum() == pytest.approx(0.025, abs=2e-3)
        assert weight[value <= table.loc[name, "upper"]].sum() == pytest.approx(0.975, abs=2e-3)
    more = expected * np.expm1(beta * np.log1p(100 / until))
    next_ = incident_growth(t, end=end).predict(100).iloc[0]
    assert next_["p_none"] == pytest.approx((np.exp(-more) * weight).sum(), rel=1e-5)
    mean = (more * weight).sum()
    assert next_["mean"] == pytest.approx(mean, rel=1e-5)
    assert next_["sd"] == pytest.approx(
        np.sqrt(mean + ((more - mean) ** 2 * weight).sum()), rel=1e-4
    )
    upper = int(next_["upper"])
    for count, low, high in ((upper, 0.975, 1.0), (upper - 1, 0.0, 0.975)):
        below = (special.pdtr(count, more) * weight).sum()
        assert low - 1e-6 <= below <= high + 1e-6


def simulated(beta, expected, size, rng, *, failures=None):
    """Processes on (0, 1], or up to a number of incidents."""
    for _ in range(size):
        if failures:
            yield (rng.exponential(size=failures).cumsum() / expected) ** (1 / beta), None
        else:
            yield np.sort(rng.random(rng.poisson(expected)) ** (1 / beta)), 1.0


@pytest.mark.parametrize(("beta", "failures"), [(0.6, None), (1.4, 8)])
def test_intervals_are_exact_and_estimates_without_bias(beta, failures):
    rng = np.random.default_rng(1)
    inside, unbiased = [], []
    for times, end in simulated(beta, 15.0, 300, rng, failures=failures):
        part = Process(times, end or times[-1], end is None)
        below = special.gammainc(part.shape, beta * part.log_sum)
        inside.append(0.025 < below < 0.975)
        unbiased.append(part.shape / part.log_sum * (1 - 1 / part.shape))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.035)
    error = np.std(unbiased) / np.sqrt(len(unbiased))
    assert np.mean(unbiased) == pytest.approx(beta, abs=4 * error)


def test_goodness_of_fit_is_uniform_and_sees_a_break():
    rng = np.random.default_rng(8)
    p = [
        incident_growth(times, end=end).tests(simulations=199)["p"].iloc[2]
        for times, end in simulated(0.7, 20.0, 60, rng)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    burst = np.concatenate([np.linspace(1, 30, 20), np.linspace(95, 100, 20)])
    assert incident_growth(burst, end=100.0).tests(simulations=499)["p"].iloc[2] < 0.01


def test_dates_systems_and_frames(make_frame):
    data = make_frame(
        {
            "when": ["2025-01-11", "2025-02-01", "2025-01-21", "2025-03-01"],
            "who": ["A, <b>", "A, <b>", "B", "B"],
        }
    )
    growth = incident_growth(data, time="when", system="who", start="2025-01-01", end="2025-04-11")
    assert growth.dated
    assert growth.processes[0].times.tolist() == [10.0, 31.0]
    assert growth.processes[0].end == 100.0
    assert "&lt;b&gt;" in growth._repr_html_()
    assert len(growth.summary()) == 4
    lines = growth.expected(points=11)
    assert lines["observed"].tolist()[:11][-1] == 2
    assert lines["mean"].iloc[10] == pytest.approx(2)
    assert (lines["lower"] <= lines["mean"]).all()
    assert (lines["mean"] <= lines["upper"] + 1e-12).all()


def test_no_mean_where_the_tail_is_too_heavy():
    row = incident_growth([90.0, 95.0], end=100.0).predict(1000).iloc[0]
    assert row["mean"] == np.inf
    assert 0 < row["p_none"] < 1
    one = incident_growth([50.0], end=100.0)
    assert np.isnan(one.tests(simulations=9).set_index("test").loc["cramer-von mises", "p"])
    assert one.predict(10)["upper"].iloc[0] >= 1


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ([0.0, 1.0], {}, TrialDataError, r"time in row 0 .* is .*0.*, but observation began at 0"),
        ([1.0, 12.0], {"end": 10}, TrialDataError, r"row 1 .* but observation ended at 10"),
        ([1.0, np.nan], {}, TrialDataError, "no time in row 1"),
        ([3.0], {}, ModelError, "has 1 incident before the end"),
        ([3.0, 3.0], {}, ModelError, "at least two at different times"),
        ([3.0, 4.0], {"end": 0}, ArgumentError, "end must be after start"),
        (["2025-01-02", "2025-01-03"], {}, ArgumentError, "start must be a date, as the times are"),
        (["2025-01-02", "x"], {"start": "2025-01-01"}, TrialDataError, "'x'; it must be"),
        ([3.0, 4.0], {"end": "2025-01-01"}, ArgumentError, "end must be a number"),
        ([], {}, TrialDataError, "no rows; at least one incident"),
    ],
)
def test_bad_input(arguments, options, error, message):
    with pytest.raises(error, match=message):
        incident_growth(arguments, **options)


def test_several_systems_need_an_end():
    data = pd.DataFrame({"time": [1, 2, 3, 4], "who": list("aabb")})
    with pytest.raises(ArgumentError, match="Several systems need the end"):
        incident_growth(data, system="who")
    with pytest.raises(ArgumentError, match="further must be a positive number"):
        incident_growth([1.0, 2.0]).predict(-1)

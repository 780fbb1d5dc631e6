"""Monitors against oracles, enumeration, Ville's bound, and spoilt states."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy import integrate, special, stats

import reliability_stats as rs
from reliability_stats import ArgumentError, TrialDataError, Trials
from reliability_stats.history import cusum_run_length, monitor_from_json
from reliability_stats.history._watch import (
    confidence_sequence,
    cusum,
    e_values,
    present_rate,
    run_lengths,
)

ORACLE = np.array([int(x) for x in "1111100100"])


def batches(successes, n=50, first=1, **columns):
    size = len(successes)
    table = {"task": [0] * size, "day": list(range(first, first + size)), "n": [n] * size}
    return Trials.from_counts(
        table | {"successes": successes} | columns,
        system="system" if columns else None,
        condition="day",
    )


def test_run_lengths_are_those_of_all_segmentations():
    posterior, evidence = run_lengths(np.ones(10, dtype=int), ORACLE, 0.1)
    published = [0.09340, 0.13439, 0.06954, 0.09301, 0.28196, 0.09245, 0.04112, 0.02287]
    published += [0.01583, 0.15544]
    assert np.exp(evidence[-1]) == pytest.approx(1.0789334748e-3, rel=1e-9)
    assert posterior[-1][::-1] == pytest.approx(published, abs=6e-6)


def test_run_lengths_of_batches_by_enumeration():
    n, y = np.array([3, 5, 2, 4]), np.array([3, 1, 0, 2])
    weights, total = np.zeros(4), 0.0
    for places in itertools.product([0, 1], repeat=3):
        starts = [0, *(i + 1 for i, p in enumerate(places) if p)]
        value = np.prod([0.2 if p else 0.8 for p in places])
        for i, j in itertools.pairwise([*starts, 4]):
            value *= special.beta(1 + y[i:j].sum(), 1 + (n - y)[i:j].sum())
        weights[starts[-1]] += value
        total += value
    posterior, evidence = run_lengths(n, y, 0.2)
    assert posterior[-1] == pytest.approx(weights / total)
    assert np.exp(evidence[-1]) == pytest.approx(total)
    mean, lower, upper = present_rate(n, y, posterior, 0.9)
    laws = [stats.beta(1 + y[j:].sum(), 1 + (n - y)[j:].sum()) for j in range(4)]
    share = weights / total
    assert mean[-1] == pytest.approx(
        sum(w * law.mean() for w, law in zip(share, laws, strict=True))
    )
    for end, level in ((lower[-1], 0.05), (upper[-1], 0.95)):
        assert sum(w * law.cdf(end) for w, law in zip(share, laws, strict=True)) == pytest.approx(
            level
        )


@pytest.mark.parametrize(
    ("won", "n", "ends"),
    [
        (20, 20, (0.739329, 1)),
        (10, 20, (0.204298, 0.795702)),
        (18, 20, (0.589739, 0.996341)),
        (84, 200, (0.309308, 0.536396)),
    ],
)
def test_confidence_sequence_gives_published_ends(won, n, ends):
    low, high = confidence_sequence(np.array([n]), np.array([won]), 0.95)
    assert (low[0], high[0]) == pytest.approx(ends, abs=1e-6)


def test_e_value_of_one_batch_is_a_ratio_of_integrals():
    # METHODS: 60 of 60 against p <= .9, uniform over (.9, 1): 91.0787; here with sides exchanged.
    value = e_values(np.array([60]), np.array([0]), 0.1, "independent")
    assert value[0] == pytest.approx(0.5 + 0.5 * 91.0787, rel=1e-5)


def test_e_values_by_integration():
    n, y, rate = np.array([4, 6, 5]), np.array([3, 2, 2]), 0.7
    expected = 1 / 4
    for j in range(3):
        s, f = y[j:].sum(), (n - y)[j:].sum()
        top = integrate.quad(lambda q, s=s, f=f: q**s * (1 - q) ** f, 0, rate)[0] / rate
        expected += top / (rate**s * (1 - rate) ** f) / ((j + 1) * (j + 2))
    assert e_values(n, y, rate, "independent")[-1] == pytest.approx(expected)


def test_e_values_of_any_dependence_by_hand():
    n, y, rate = np.array([10, 20]), np.array([6, 10]), 0.8
    bets = (np.arange(32) + 0.5) / 32 / 0.2
    first, second = 1 + bets * (0.8 - 0.6), 1 + bets * (0.8 - 0.5)
    expected = 1 / 3 + (first * second).mean() / 2 + second.mean() / 6
    assert e_values(n, y, rate, "any")[-1] == pytest.approx(expected)


def test_mean_of_e_values_is_at_most_one_by_enumeration():
    sizes, rate = np.array([3, 2, 3]), 0.7
    tasks = np.array([1.0, 0.6, 0.5])  # mean 0.7, in every batch; the second has other tasks
    second = np.array([0.9, 0.5])
    means = {"independent": 0.0, "any": 0.0}
    laws = []
    for p in (tasks, second, tasks):
        law = np.array([1.0])
        for x in p:
            law = np.convolve(law, [1 - x, x])
        laws.append(law)
    for y in itertools.product(range(4), range(3), range(4)):
        chance = np.prod([law[i] for law, i in zip(laws, y, strict=True)])
        for within in means:
            means[within] += chance * e_values(sizes, np.array(y), rate, within)[-1]
    assert means["independent"] <= 1
    assert means["any"] == pytest.approx(1)


def test_huge_streams_do_not_overflow():
    n = np.full(3, 10**6)
    assert e_values(n, np.zeros(3, dtype=int), 0.999, "independent")[-1] == np.inf
    assert 0 < e_values(n, n, 0.5, "independent")[-1] < 1
    assert not np.isnan(e_values(n, n // 2, 0.5, "independent")).any()


def test_cusum_run_lengths_are_the_published_ones():
    expected = {0.05: 94060.4, 0.10: 1512.573, 1 / 6: 133.7307, 0.25: 40.9590, 0.5: 12.3261}
    for failure, value in expected.items():
        assert cusum_run_length(failure, up=5, threshold=24) == pytest.approx(value, rel=5e-6)


def test_cusum_is_that_of_page():
    level, path = 0.0, []
    for x in ORACLE:
        level = max(0.0, level + (np.log(0.75 / 0.9) if x else np.log(0.25 / 0.1)))
        path.append(level)
    assert cusum(np.ones(10, dtype=int), ORACLE, 0.9, 0.75) == pytest.approx(path)


def test_false_alarms_stay_below_the_nominal_rate_and_declines_are_found():
    rng = np.random.default_rng(0)
    runs, periods = 300, 60
    rates = np.full((2, periods), 0.85)
    rates[1, 20:] = 0.65
    for within, most in (("independent", 10), ("any", 20)):
        alarm = np.empty((2, runs))
        for kind in range(2):
            for r in range(runs):
                y = rng.binomial(30, rates[kind])
                e = e_values(np.full(periods, 30), y, 0.85, within)
                alarm[kind, r] = np.argmax(e >= 20) if (e >= 20).any() else np.inf
        assert (alarm[0] < np.inf).mean() <= 0.05
        assert np.median(alarm[1]) - 19 <= most


def test_updates_are_as_all_at_once_and_resume_from_json():
    successes = [45, 44, 46, 30, 28, 31]
    whole = rs.monitor(batches(successes), period="day", rate=0.9)
    part = rs.monitor(batches(successes[:1]), period="day", rate=0.9)
    for i, y in enumerate(successes[1:]):
        part = monitor_from_json(part.to_json()).update(batches([y], first=i + 2))
    assert part == whole
    assert part.path().equals(whole.path())
    assert whole.summary()["alarm"][0] in ("4", "5")
    assert "ALARM" in repr(whole)


def test_first_periods_may_set_the_rate():
    watch = rs.monitor(batches([45, 44, 46, 44, 43, 20, 21]), period="day", baseline=3)
    path = watch.path()
    low = stats.beta(135, 16).ppf(0.025)
    assert path["reference"].to_numpy() == pytest.approx(low)
    assert (path["e_value"][:3] == 1).all()
    assert watch.summary()["limit"][0] == 40
    assert watch.summary()["alarm"][0] == "6"


def test_systems_are_watched_apart_and_escaped():
    trials = batches([9, 9, 1, 2], n=10, system=["<b>", "<b>", "x", "x"])
    watch = rs.monitor(trials, period="day", rate=0.9)
    assert watch.summary()["alarm"].isna().tolist() == [True, False]
    assert "&lt;b&gt;" in watch._repr_html_()


def test_periods_come_once_and_in_order():
    watch = rs.monitor(batches([9, 9], n=10), period="day", rate=0.9)
    for first in (1, 2):
        with pytest.raises(TrialDataError, match="is not later than '2'"):
            watch.update(batches([9], n=10, first=first))
    assert watch.update(batches([9], n=10, first=10)).summary()["n_periods"][0] == 3


def test_wrong_arguments_are_named():
    trials = batches([9])
    for wrong in ({}, {"rate": 0.9, "baseline": 1}):
        with pytest.raises(ArgumentError, match="exactly one"):
            rs.monitor(trials, period="day", **wrong)
    with pytest.raises(ArgumentError, match="rate must be"):
        rs.monitor(trials, period="day", rate=1)
    with pytest.raises(ArgumentError, match="baseline must be"):
        rs.monitor(trials, period="day", baseline=0)
    with pytest.raises(ArgumentError, match="within must be"):
        rs.monitor(trials, period="day", rate=0.5, within="each")


def spoilt(change):
    state = json.loads(rs.monitor(batches([9, 8]), period="day", rate=0.9).to_json())
    change(state)
    return json.dumps(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(version=2), "version is 2"),
        (lambda s: s.update(extra=1), "first 'extra'"),
        (lambda s: s.update(rate=2), "rate must be"),
        (lambda s: s.update(streams={}), "streams must be a list"),
        (lambda s: s["streams"][0]["batches"].append(["3", 5, 6]), "batch 2"),
        (lambda s: s["streams"][0]["batches"].append(["3", 5, True]), "batch 2"),
        (lambda s: s["streams"][0]["batches"].append(["1", 5, 5]), "not later"),
        (lambda s: s["streams"][0].update(batches=[]), "list of batches"),
        (lambda s: s["streams"].append(s["streams"][0]), "more than once"),
    ],
)
def test_spoilt_states_are_refused(change, message):
    with pytest.raises((TrialDataError, ArgumentError), match=message):
        monitor_from_json(spoilt(change))


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", "NaN", "[" * 100_000, b"{}"])
def test_what_is_no_state_is_refused(text):
    with pytest.raises(TrialDataError):
        monitor_from_json(text)

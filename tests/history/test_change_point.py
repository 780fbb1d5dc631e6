"""Change points against enumeration in closed form, on edges, and on published figures."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats import ArgumentError, ChangePoint, ModelError, TrialDataError, Trials

SUCCESSES, N = (5, 6, 1, 0, 4), (6, 7, 5, 6, 5)


def stream(successes=SUCCESSES, n=N):
    """One trial a task, new tasks in every period."""
    rows = [
        {"task": f"{w}-{i}", "week": w, "success": i < y}
        for w, (y, m) in enumerate(zip(successes, n, strict=True))
        for i in range(m)
    ]
    return Trials.from_frame(pd.DataFrame(rows), system=None, time="week")


def segmentations(most):
    """Log evidence of every choice of places, by the number of changes."""
    size = len(N)
    for m in range(most + 1):
        for places in itertools.combinations(range(1, size), m):
            ends = (0, *places, size)
            parts = [(sum(SUCCESSES[i:j]), sum(N[i:j]), i, j) for i, j in itertools.pairwise(ends)]
            yield m, places, sum(special.betaln(1 + y, 1 + n - y) for y, n, _, _ in parts), parts


@pytest.mark.parametrize("most", [1, 2, 3])
def test_fresh_levels_agree_with_enumeration(most):
    post = ChangePoint(tasks="fresh", most=most).fit(stream())
    ways = {m: special.comb(len(N) - 1, m) for m in range(most + 1)}
    weight, at, means = {}, np.zeros(len(N)), np.zeros(len(N))
    prior = {0: 0.5, **dict.fromkeys(range(1, most + 1), 0.5 / most)}
    total = sum(prior[m] / ways[m] * np.exp(e) for m, _, e, _ in segmentations(most))
    for m, places, evidence, parts in segmentations(most):
        w = prior[m] / ways[m] * np.exp(evidence) / total
        weight[m] = weight.get(m, 0.0) + w
        at[list(places)] += w
        for y, n, i, j in parts:
            means[i:j] += w * (1 + y) / (2 + n)
    assert post.number()["probability"].to_numpy() == pytest.approx(list(weight.values()), abs=1e-6)
    changed = 1 - weight[0]
    assert post.places()["probability"].to_numpy() == pytest.approx(at[1:] / changed, abs=1e-6)
    assert post.rates()["mean"].to_numpy() == pytest.approx(means, abs=1e-6)
    assert post.summary()["p_change"][0] == pytest.approx(changed, abs=1e-6)


def test_fresh_shift_is_the_difference_of_two_logit_betas():
    post = ChangePoint(tasks="fresh").fit(stream((30, 12), (40, 40)))
    rng = np.random.default_rng(0)
    draws = special.logit(rng.beta(13, 29, 10**6)) - special.logit(rng.beta(31, 11, 10**6))
    row = post.summary().iloc[0]
    assert row["shift"] == pytest.approx(draws.mean(), abs=0.003)
    assert row["sd"] == pytest.approx(draws.std(), abs=0.003)
    ends = np.quantile(draws, [0.025, 0.975])
    assert row[["lower", "upper"]].to_numpy(dtype=float) == pytest.approx(ends, abs=0.006)


def test_fresh_repeated_tasks_are_beta_binomial():
    table = {"task": list(range(6)), "v": list("aaabbb"), "n": [4] * 6}
    table["successes"] = [4, 4, 3, 0, 1, 4]
    trials = Trials.from_counts(table, system=None, condition="v")
    post = ChangePoint(period="condition", tasks="fresh").fit(trials)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    x, w = (nodes + 1) / 2, weights / 2

    def level(y, icc):
        phi = (1 - icc) / icc
        p = [stats.betabinom(4, x * phi, (1 - x) * phi).pmf(v) for v in y]
        return np.prod(p, axis=0)

    one = np.array([w @ (level([4, 4, 3], r) * level([0, 1, 4], r)) for r in x])
    two = np.array([(w @ level([4, 4, 3], r)) * (w @ level([0, 1, 4], r)) for r in x])
    expected = np.log((w @ two) / (w @ one))
    assert post.summary()["log_bayes_factor"][0] == pytest.approx(expected, abs=1e-4)


def test_the_mix_of_tasks_is_not_a_change():
    rows = [
        {"task": kind, "week": w, "success": (i + w) % 10 < (9 if kind == "easy" else 1)}
        for w in range(2)
        for kind, share in (("easy", 80 if w == 0 else 20), ("hard", 20 if w == 0 else 80))
        for i in range(share)
    ]
    trials = Trials.from_frame(pd.DataFrame(rows), system=None, time="week")
    same = ChangePoint().fit(trials)
    assert same.summary()["p_change"][0] < 0.4
    assert same.places()["rate_before"][0] - same.places()["rate_after"][0] > 0.4


def test_published_prime_figures_shift():
    counts = {"task": ["prime"] * 4, "n": [1000] * 4, "successes": [840, 511, 496, 762]}
    counts |= {"system": ["GPT-4"] * 2 + ["GPT-3.5"] * 2, "v": ["2023-03", "2023-06"] * 2}
    summary = ChangePoint(period="v").fit(Trials.from_counts(counts, condition="v")).summary()
    summary = summary.set_index("system")
    assert (summary["p_change"] > 0.999).all()
    odds = special.logit(0.511) - special.logit(0.84)
    assert summary.loc["GPT-4", "shift"] == pytest.approx(odds, abs=0.03)
    assert summary["p_decline"].round(3).to_dict() == {"GPT-4": 1.0, "GPT-3.5": 0.0}


@pytest.mark.parametrize("tasks", ["same", "fresh"])
@pytest.mark.parametrize("outcome", [0, 1])
def test_all_alike_is_no_evidence_of_change(tasks, outcome):
    rows = [{"task": t, "week": w, "success": outcome} for t in range(3) for w in range(4)]
    trials = Trials.from_frame(pd.DataFrame(rows), system=None, time="week")
    if tasks == "same":
        with pytest.raises(ModelError, match="with both outcomes"):
            ChangePoint().fit(trials)
    else:
        assert ChangePoint(tasks=tasks).fit(trials).summary()["p_change"][0] < 0.45


def test_system_seen_once_keeps_its_prior():
    rows = [
        {"system": "old", "task": t, "week": w, "success": t < 2 + w}
        for t in range(4)
        for w in range(2)
    ]
    rows += [{"system": "new <b>", "task": t, "week": 1, "success": t % 2} for t in range(4)]
    trials = Trials.from_frame(pd.DataFrame(rows), time="week")
    for tasks in ("same", "fresh"):
        post = ChangePoint(tasks=tasks, p_change=0.2).fit(trials)
        row = post.summary().set_index("system").loc["new <b>"]
        assert row["p_change"] == pytest.approx(0.2)
        assert row["identified"] == "no"
        assert pd.isna(row["at"])
        assert "new &lt;b&gt;" in post._repr_html_()
        assert len(post.number()) >= 2


def test_periods_of_the_calendar_are_in_order_and_utc():
    rows = {
        "task": list(range(6)),
        "when": [
            "2024-12-31T23:30:00Z",
            "2025-01-01",
            "2025-01-31",
            "2025-02-01",
            "2025-03-01",
            "2024-12-01",
        ],
        "success": [1, 1, 1, 0, 0, 1],
    }
    trials = Trials.from_frame(pd.DataFrame(rows), system=None, time="when")
    post = ChangePoint(period="month", tasks="fresh").fit(trials)
    assert list(post.rates()["period"]) == ["2024-12", "2025-01", "2025-02", "2025-03"]
    assert list(post.rates()["n"]) == [2, 2, 1, 1]


def test_width_of_numeric_times():
    post = ChangePoint(period=2, tasks="fresh").fit(stream())
    assert list(post.rates()["period"]) == ["0", "2", "4"]
    assert list(post.rates()["n"]) == [13, 11, 5]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"period": 0}, "positive width"),
        ({"period": True}, "positive width"),
        ({"tasks": "Same"}, "did you mean 'same'"),
        ({"p_change": 1}, "between 0 and 1"),
        ({"shift_scale": 0}, "above 0"),
        ({"shift_scale": np.inf}, "above 0"),
        ({"most": 0}, "at least 1"),
        ({"most": 2}, "needs tasks='fresh'"),
    ],
)
def test_fields_are_checked(spec, message):
    with pytest.raises(ArgumentError, match=message):
        ChangePoint(**spec)


def test_data_are_checked():
    rows = {"task": [1, 2], "week": [1, 1], "success": [1, 0]}
    trials = Trials.from_frame(rows, system=None, time="week")
    with pytest.raises(TrialDataError, match="one period only, '1'"):
        ChangePoint().fit(trials)
    with pytest.raises(ArgumentError, match="did you mean 'week'"):
        ChangePoint(period="weeek").fit(trials)
    with pytest.raises(TrialDataError, match="no conditions"):
        ChangePoint(period="condition").fit(trials)
    with pytest.raises(TrialDataError, match="no time"):
        ChangePoint().fit(Trials.from_frame(rows, system=None))
    with pytest.raises(ArgumentError, match="must be Trials"):
        ChangePoint().fit([1, 0])
    part = Trials.from_frame(rows | {"week": [1, None]}, system=None, time="week")
    with pytest.raises(TrialDataError, match="1 trial of 2 have no time"):
        ChangePoint().fit(part)
    with pytest.raises(TrialDataError, match="dates, not numbers"):
        ChangePoint(period="day").fit(trials)
    hidden = Trials.from_frame(
        rows | {"success": [1, None]}, system=None, time="week", missing="bounds"
    )
    with pytest.raises(TrialDataError, match="definite counts"):
        ChangePoint().fit(hidden)


def test_fresh_tasks_cannot_be_compared_with_themselves():
    with pytest.raises(ModelError, match="use tasks='fresh'"):
        ChangePoint().fit(stream())
    rows = {"task": [1, 1, 1, 1], "week": [0, 0, 1, 1], "success": [1, 1, 0, 1]}
    post = ChangePoint().fit(Trials.from_frame(rows, system=None, time="week"))
    with pytest.raises(ModelError, match="rates have no posterior"):
        post.rates()


def test_the_order_of_rows_does_not_matter():
    frame = pd.DataFrame(
        [{"task": t, "week": w, "success": (t * w) % 3 > 0} for t in range(5) for w in range(4)]
    )
    one = ChangePoint().fit(Trials.from_frame(frame, system=None, time="week")).places()
    two = frame.sample(frac=1, random_state=1)
    two = ChangePoint().fit(Trials.from_frame(two, system=None, time="week")).places()
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("tasks", ["same", "fresh"])
def test_posterior_is_calibrated_over_its_prior(tasks):
    """Probability of change, of the place, and coverage of the shift; truths from the prior."""
    rng = np.random.default_rng(7)
    runs, periods, per = (300, 6, 20)
    place = rng.integers(1, periods, runs)
    changed = rng.random(runs) < 0.5
    systems = [f"{i:03d}" for i in range(runs)]
    p = rng.random((runs, per)) if tasks == "same" else np.tile(rng.random((runs, 1)), (1, per))
    u = special.logit(p)
    if tasks == "same":
        shift = rng.normal(size=(runs, 1))
    else:
        shift = special.logit(rng.random((runs, 1))) - u[:, :1]
    later = (np.arange(periods) >= place[:, None]) & changed[:, None]
    logit = u[:, None, :] + later[:, :, None] * shift[:, :, None]
    y = rng.random(logit.shape) < special.expit(logit)
    s, w, t = (x.ravel() for x in np.indices(y.shape))
    task = t if tasks == "same" else w * per + t
    frame = pd.DataFrame({"system": np.array(systems)[s], "w": w, "task": task})
    frame["success"] = y.ravel()
    post = ChangePoint(tasks=tasks).fit(Trials.from_frame(frame, time="w"))
    summary = post.summary(prob=0.8)
    expected = summary["p_change"].to_numpy()
    noise = np.sqrt((expected * (1 - expected)).sum())
    assert abs(changed.sum() - expected.sum()) < 3 * noise
    places = post.places()["probability"].to_numpy().reshape(runs, periods - 1)
    own = places[np.arange(runs), place - 1][changed].mean()
    best = (places**2).sum(axis=1)[changed].mean()
    assert abs(own - best) < 0.08
    inside = (summary["lower"] <= shift[:, 0]) & (shift[:, 0] <= summary["upper"])
    share = inside[changed].mean()
    assert abs(share - 0.8) < 3.5 * np.sqrt(0.16 / changed.sum())


def test_exported():
    assert rs.ChangePoint is ChangePoint
    assert rs.history.ChangePosterior is rs.ChangePosterior

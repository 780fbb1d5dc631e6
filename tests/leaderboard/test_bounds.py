import numpy as np
import pandas as pd
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats._summary import COLUMNS
from reliability_stats.leaderboard import Leaderboard, bounds, mean_bounds, two_moment_bounds

AIRLINE = ["0.420", "0.273", "0.220", "0.200"]


def ask(table, estimands, **arguments):
    return bounds(Leaderboard.from_frame(table), estimands, **arguments)


def figures(metrics, values, **more):
    size = len(values)
    table = {"system": ["s"] * size, "benchmark": ["b"] * size, "metric": metrics, "value": values}
    return table | {name: [value] * size for name, value in more.items()}


def test_summary_schema_and_default_estimands(ladder):
    out = ask(ladder(AIRLINE, 50, 4), None)
    assert [name for name in out.columns if name in COLUMNS] == list(COLUMNS)
    assert out.columns[1:4].tolist() == ["system", "benchmark", "settings"]
    names = ["success_rate", "pass@4", "pass^4", "gap@4", "persistence@1", "icc"]
    assert out["estimand"].tolist() == names
    assert out["identified"].eq("yes").all()
    assert out["over"].eq("population").all()
    assert ask(figures(["mean"], ["0.5"]), None)["estimand"].tolist()[1] == "pass@2"


def test_mean_only_gives_bounds_not_estimates():
    out = ask(figures(["mean"], ["0.604"], n_tasks=115), [rs.SuccessRate(), rs.PassHatK(4)])
    rate, power = out.iloc[0], out.iloc[1]
    assert (rate["identified"], rate["mean"]) == ("yes", 0.604)
    assert (power["identified"], power["assumption"]) == ("bounds", "none")
    assert np.isnan(power["mean"])
    ends = power[["set_lower", "set_upper"]].tolist()
    assert ends == pytest.approx([float(x) for x in mean_bounds(4, 0.604)])
    # the ends are those of the mean itself: its lower limit to the fourth, its upper limit
    assert power["lower"] == pytest.approx(rate["lower"] ** 4, rel=1e-3)
    assert power["upper"] == pytest.approx(rate["upper"], rel=1e-3)
    assert len(out) == 2  # no model value from a mean


def test_nothing_about_repetition_from_a_mean():
    out = ask(
        figures(["mean"], ["0.6"], n_tasks=50), [rs.ICC(), rs.FlickerMass(), rs.Persistence()]
    )
    table = out.set_index("estimand")
    assert table["identified"].eq("bounds").all()
    assert table.loc["icc", ["set_lower", "set_upper"]].tolist() == pytest.approx([0, 1], abs=1e-6)
    assert table.loc["flicker_mass", ["set_lower", "set_upper"]].tolist() == pytest.approx([0, 1])
    ends = table.loc["persistence@1", ["set_lower", "set_upper"]].tolist()
    assert ends == pytest.approx([0.6, 1])


def test_interval_of_a_mean_is_clopper_pearson():
    """So it covers whatever the tasks are; nine decimals leave no rounding."""
    row = ask(figures(["mean"], [0.42], n_tasks=50, decimals=9), rs.SuccessRate()).iloc[0]
    expected = stats.beta.ppf([0.025, 0.975], [21, 22], [30, 29])
    assert row[["lower", "upper"]].tolist() == pytest.approx(expected, abs=0.006)


def test_two_moments():
    table = figures(["pass^1", "pass^2"], ["0.604", "0.491"], n_tasks=115, n_trials=4)
    out = ask(table, [rs.PassHatK(2), rs.ICC(), rs.PassHatK(8), rs.PassAtK(8)])
    first, icc, sharp, model, reach, _ = (row for _, row in out.iterrows())
    assert (first["identified"], first["mean"]) == ("yes", 0.491)
    assert icc["mean"] == pytest.approx(0.5275604, abs=1e-6)
    assert (sharp["identified"], sharp["assumption"]) == ("bounds", "exchangeable trials")
    ends = [float(x) for x in two_moment_bounds(8, 0.604, 0.491)]
    assert sharp[["set_lower", "set_upper"]].tolist() == pytest.approx(ends)
    assert (model["identified"], model["assumption"]) == ("model", "beta mixing")
    assert model["mean"] == pytest.approx(0.309316, abs=1e-6)
    assert sharp["lower"] < sharp["set_lower"] < model["mean"] < sharp["set_upper"] < sharp["upper"]
    assert model["lower"] < model["mean"] < model["upper"]
    m1, m2 = 0.396, 1 - 2 * 0.604 + 0.491  # moments of failure
    ends = [1 - float(x) for x in two_moment_bounds(8, m1, m2)][::-1]
    assert reach[["set_lower", "set_upper"]].tolist() == pytest.approx(ends)


def test_pass_at_1_and_2_are_two_moments():
    hat = figures(["pass^1", "pass^2"], ["0.604", "0.491"], n_tasks=115, n_trials=4)
    at = figures(["pass@1", "pass@2"], ["0.604", "0.717"], n_tasks=115, n_trials=4, settings="T=0")
    names = ["set_lower", "set_upper", "mean"]
    left, right = (ask(t, [rs.PassHatK(8), rs.ICC()])[names].to_numpy() for t in (hat, at))
    np.testing.assert_allclose(left, right, atol=1e-9)


def test_pass_at_1_and_10():
    table = figures(
        ["pass@1", "pass@10"], ["0.30", "0.55"], n_tasks=164, n_trials=200, settings="x"
    )
    out = ask(table, [rs.PassHatK(2), rs.PassAtK(100)]).set_index(["estimand", "identified"])
    sharp, model = out.loc["pass^2", "bounds"], out.loc["pass^2", "model"]
    assert sharp["set_lower"] < model["mean"] < sharp["set_upper"]
    assert 0.09 < sharp["set_lower"] < sharp["set_upper"] < 0.30
    more = out.loc["pass@100", "bounds"]
    assert more["set_lower"] == pytest.approx(0.55, abs=0.01)
    assert out.loc["pass@100", "model"]["mean"] > 0.55


def test_undeclared_settings_are_not_combined():
    table = figures(["mean", "pass@10"], ["0.30", "0.55"], n_tasks=164)
    row = ask(table, rs.PassHatK(2)).iloc[0]
    assert row["source"] == "mean"
    assert "pass@10 left out" in row["note"]


def test_mean_and_error_over_runs():
    n_tasks, m1, se, runs = 100, 0.6, 0.015, 5
    table = figures(["mean"], ["0.600"], n_tasks=n_tasks, se="0.0150", n_runs=runs)
    out = ask(table, [rs.PassHatK(2), rs.ICC(), rs.Disagreement(), rs.PassHatK(4)])
    found = out.set_index(["estimand", "identified"])
    within = n_tasks * runs * se**2
    assert found.loc[("pass^2", "yes"), "mean"] == pytest.approx(m1 - within)
    assert found.loc[("icc", "yes"), "mean"] == pytest.approx(1 - within / (m1 * (1 - m1)))
    assert found.loc[("disagreement", "yes"), "mean"] == pytest.approx(2 * within)
    assert out["assumption"].isin(["exchangeable trials", "beta mixing"]).all()
    assert out["note"].str.contains("same tasks").all()
    few = ask(figures(["mean"], ["0.600"], n_tasks=n_tasks, se="0.0194", n_runs=3), rs.ICC()).iloc[
        0
    ]
    many = ask(
        figures(["mean"], ["0.600"], n_tasks=n_tasks, se="0.0047", n_runs=50), rs.ICC()
    ).iloc[0]
    assert few["mean"] == pytest.approx(many["mean"], abs=0.02)
    assert few["upper"] - few["lower"] > 1.5 * (many["upper"] - many["lower"])


def test_runs_that_differ_too_much_are_noted():
    table = figures(["mean"], ["0.60"], n_tasks=100, se="0.10", n_runs=4)
    row = ask(table, rs.ICC()).iloc[0]
    assert "differ more than independent trials" in row["note"]
    assert row["mean"] == pytest.approx(0)


def test_equal_runs_are_not_certainty():
    table = figures(["mean"], ["0.60"], n_tasks=50, se="0.000", n_runs=3)
    row = ask(table, rs.ICC()).iloc[0]
    assert row["mean"] == 1
    assert row["lower"] < 0.99


def test_error_of_unknown_kind_is_not_used():
    table = figures(["mean"], ["0.60"], n_tasks=50, se="0.01")
    out = ask(table, [rs.SuccessRate(), rs.PassHatK(2)])
    assert out["note"].str.contains("standard error is not used").all()
    plain = ask(figures(["mean"], ["0.60"], n_tasks=50), [rs.SuccessRate(), rs.PassHatK(2)])
    assert out["upper"].tolist() == plain["upper"].tolist()


def test_ladder_answers_as_raw_counts_do(ladder):
    raw = rs.datasets.load("tau-bench-airline-gpt4o")
    out = ask(ladder(AIRLINE, 50, 4), [rs.PassHatK(8), rs.PassHatK(4), rs.ICC()])
    model = out[out["identified"] == "model"].iloc[0]
    expected = rs.fit(raw).summary(rs.PassHatK(8)).iloc[0]
    for name in ("mean", "sd", "lower", "upper"):
        assert model[name] == pytest.approx(expected[name], rel=1e-6)
    exact = out[out["identified"] == "yes"].set_index("estimand")
    n, y = raw.counts.n, raw.counts.successes
    assert exact.loc["pass^4", "mean"] == pytest.approx(rs.PassHatK(4).from_counts(n, y))
    assert exact.loc["icc", "source"] == "histogram"
    assert ask(ladder(AIRLINE, 50, 4), rs.PassHatK(2)).loc[0, "sd"] == pytest.approx(
        0.054385, abs=3e-3
    )


def test_pass_8_from_the_published_ladder(ladder):
    """It holds the interval from the raw counts, and says little more than they do."""
    raw = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")).summary(rs.PassHatK(8)).iloc[0]
    out = ask(ladder(AIRLINE, 50, 4), rs.PassHatK(8))
    lower, upper = out["lower"].min(), out["upper"].max()
    assert lower <= raw["lower"] + 1e-9
    assert upper >= raw["upper"] - 1e-9
    assert upper - lower < 2 * (raw["upper"] - raw["lower"])


def test_more_figures_narrow_the_set(ladder):
    out = [ask(ladder(AIRLINE[:k], 50, 4), rs.PassHatK(8)).iloc[0] for k in (1, 2, 3, 4)]
    lows = [row["set_lower"] for row in out]
    highs = [row["set_upper"] for row in out]
    assert lows == sorted(lows)
    assert highs == sorted(highs, reverse=True)
    assert highs[3] - lows[3] < 0.1 * (highs[1] - lows[1])


def test_ladder_that_fits_nothing_is_used_as_figures(ladder):
    out = ask(ladder(["0.692", "0.576", "0.509", "0.462"], 115, 4), rs.PassHatK(8))
    assert out["note"].str.contains("fit no histogram").all()
    assert out["source"].eq("mean, pass^2, pass^3, pass^4").all()


def test_published_values_are_repeated_as_they_are(ladder):
    values = ["0.500", "0.240", "0.120", "0.060"]  # pass^2 is below .5^2 by chance
    out = ask(ladder(values, 50, 4), [rs.PassHatK(k) for k in (1, 2, 3, 4, 5)])
    known = out[out["identified"] == "yes"]
    assert known["mean"].tolist() == pytest.approx([0.5, 0.24, 0.12, 0.06])
    assert out["note"].str.contains("sampling error").any()


def test_contradicting_figures_say_nothing():
    out = ask(
        figures(["pass^1", "pass^2"], ["0.40", "0.50"], n_tasks=50, n_trials=2), rs.PassHatK(3)
    )
    row = out.iloc[0]
    assert (len(out), row["identified"], row["interval"]) == (1, "no", "none")
    assert "contradict" in row["note"]
    assert row[["mean", "lower", "upper"]].isna().all()
    assert row[["set_lower", "set_upper"]].tolist() == [0, 1]


def test_no_interval_without_the_number_of_tasks():
    out = ask(figures(["pass^1", "pass^2"], ["0.5", "0.4"]), [rs.SuccessRate(), rs.PassHatK(4)])
    assert out[["lower", "upper", "sd"]].isna().all(axis=None)
    assert out["interval"].eq("none").all()
    assert out["note"].str.contains("number of tasks is not stated").all()
    assert out["set_lower"].notna().tolist() == [True, True, False]


@pytest.mark.parametrize("value", ["0.000", "1.000"])
def test_all_fail_and_all_pass(value, ladder):
    out = ask(ladder([value] * 2, 50, 2), [rs.PassHatK(2), rs.PassHatK(4), rs.ICC()])
    found = out.set_index(["estimand", "identified"])
    width = found.loc[("pass^2", "yes"), "upper"] - found.loc[("pass^2", "yes"), "lower"]
    assert 0.03 < width < 0.2  # not certain
    icc = out[out["estimand"] == "icc"].iloc[0]
    assert (icc["identified"], icc["interval"]) == ("no", "none")
    assert "0/0" in icc["note"]
    assert out["set_upper"].dropna().between(-1, 1).all()


def test_persistence_needs_the_mean():
    row = ask(figures(["pass@10"], ["0.6"], n_tasks=50), rs.Persistence(1)).iloc[0]
    assert row["identified"] == "no"
    assert "needs the mean" in row["note"]


def test_seed_decides_and_order_does_not(ladder):
    table = ladder(["0.42", "0.27"], 50, 4)
    one, two = (ask(table, [rs.PassHatK(4), rs.Gap(2)], rng=5) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    turned = ask(table, [rs.Gap(2), rs.PassHatK(4)], rng=5)
    names = ["lower", "upper"]
    left = one.set_index(["estimand", "assumption"])[names].sort_index()
    pd.testing.assert_frame_equal(
        left, turned.set_index(["estimand", "assumption"])[names].sort_index()
    )


def test_wider_for_more_mass_and_fewer_tasks(ladder):
    def width(n_tasks, prob):
        row = ask(ladder(["0.42", "0.28"], n_tasks, 4), rs.PassHatK(4), prob=prob).iloc[0]
        return row["upper"] - row["lower"]

    assert width(50, 0.5) < width(50, 0.95) < width(10, 0.95)


def test_one_row_a_group_and_estimand():
    table = figures(["mean", "mean"], ["0.5", "0.6"], n_tasks=50) | {"system": ["a", "ü, <b>"]}
    out = ask(table, [rs.SuccessRate(), rs.PassHatK(2)])
    assert out["system"].tolist() == ["a", "ü, <b>"] * 2


def test_wrong_arguments(ladder):
    board = Leaderboard.from_frame(ladder(AIRLINE, 50, 4))
    with pytest.raises(rs.ArgumentError, match="needs a Leaderboard"):
        bounds(ladder(AIRLINE, 50, 4))
    with pytest.raises(rs.ArgumentError, match="prob"):
        bounds(board, prob=95)
    with pytest.raises(rs.ArgumentError, match="estimands"):
        bounds(board, "pass^4")


LAWS = {
    "beta": lambda rng, n: rng.beta(0.64, 0.86, n),
    "easy": lambda rng, n: rng.choice([1.0, 0.7], n, p=[0.9, 0.1]),
    "two points": lambda rng, n: rng.choice([0.1, 0.8], n),
}


def misses(law, kind, repeats, seed):
    """Count how often intervals miss the truth, for each estimand."""
    estimands = [rs.SuccessRate(), rs.PassHatK(4), rs.PassHatK(8), rs.ICC()]
    rng = np.random.default_rng(seed)
    truth = {e.name: float(e.from_p(law(rng, 400_000))) for e in estimands}
    out = dict.fromkeys(truth, 0)
    for seed_of_draws in range(repeats):
        p = law(rng, 50)
        if kind == "runs":
            scores = (rng.random((50, 5)) < p[:, None]).mean(axis=0)
            se = scores.std(ddof=1) / 5**0.5
            table = figures(
                ["mean"], [f"{scores.mean():.3f}"], n_tasks=50, se=f"{se:.4f}", n_runs=5
            )
        else:
            y = rng.binomial(4, p)
            values = [f"{rs.PassHatK(k).from_counts(np.full(50, 4), y):.3f}" for k in (1, 2, 3, 4)]
            size = {"mean": 1, "two": 2, "ladder": 4}[kind]
            metrics = [f"pass^{k}" for k in range(1, size + 1)]
            table = figures(metrics, values[:size], n_tasks=50, n_trials=4)
        found = ask(table, estimands, rng=seed_of_draws)
        for _, row in found[found["identified"].isin(["yes", "bounds"])].iterrows():
            out[row["estimand"]] += not row["lower"] <= truth[row["estimand"]] <= row["upper"]
    return out


@pytest.mark.parametrize("kind", ["mean", "two"])
def test_intervals_cover(kind):
    worst = stats.binom.ppf(0.9999, 25, 0.05)
    assert max(misses(LAWS["easy"], kind, 25, 1).values()) <= worst


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mean", "two", "ladder", "runs"])
@pytest.mark.parametrize("law", LAWS)
def test_intervals_cover_in_full(kind, law):
    worst = stats.binom.ppf(0.9999, 150, 0.05)
    assert max(misses(LAWS[law], kind, 150, 2).values()) <= worst


def test_an_interval_for_any_shape_includes_that_of_a_beta_distribution(ladder):
    # from the published ladder alone, pass^8 is at least as open as from the raw 50 x 4 counts
    values = ["0.420", "0.273", "0.220", "0.200"]
    table = bounds(Leaderboard.from_frame(ladder(values, 50, 4)), rs.PassHatK(8))
    free, model = table.iloc[0], table.iloc[1]
    raw = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")).summary(rs.PassHatK(8)).iloc[0]
    assert (model["lower"], model["upper"]) == pytest.approx((raw["lower"], raw["upper"]), abs=1e-6)
    assert free["lower"] <= raw["lower"] < raw["upper"] <= free["upper"]
    assert free["upper"] - free["lower"] < 2 * (raw["upper"] - raw["lower"])

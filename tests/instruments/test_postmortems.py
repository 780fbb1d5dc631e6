"""Postmortems: composition of failures, pooling, contributions, agreement."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.instruments import Postmortem
from reliability_stats.instruments._agreement import _fleiss
from reliability_stats.instruments._composition import sample


def one_each(counts, system=None):
    """Make a table of failures with one mode each."""
    modes = np.repeat(list(counts), list(counts.values()))
    table = {"failure": np.arange(len(modes)), "mode": modes}
    return table if system is None else table | {"system": [system] * len(modes)}


def joined(*tables):
    """Put tables under each other."""
    return {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}


def test_single_labels_have_dirichlet_shares():
    post = Postmortem().fit(one_each({"tool": 12, "plan": 5, "env": 3}), system=None, draws=25_000)
    table = post.summary().set_index("estimand")
    for name, count in (("tool", 12), ("plan", 5), ("env", 3)):
        law = stats.beta(count + 0.5, 20 - count + 1.0)
        row = table.loc[f"involved:{name}"]
        assert row["mean"] == pytest.approx(law.mean(), abs=2e-3)
        ends = row[["lower", "upper"]].astype(float)
        np.testing.assert_allclose(ends, law.ppf([0.025, 0.975]), atol=6e-3)
    assert post.modes()["p_first"].sum() == pytest.approx(1)
    assert post.modes()["failures"].tolist() == [3, 5, 12]


def test_modes_that_occur_together_are_not_sole():
    table = {"failure": [1, 1, 2, 3], "mode": ["tool", "plan", "tool", "plan"]}
    post = Postmortem().fit(table, system=None, draws=10_000)
    found = post.modes().set_index("mode")
    # categories plan, tool, both, with one failure each
    assert found.loc["tool", "sole"] == pytest.approx(1 / 3, abs=5e-3)
    assert found.loc["tool", "involved"] == pytest.approx(2 / 3, abs=5e-3)


def test_the_sampler_agrees_with_a_grid_for_two_categories():
    y = np.array([[9, 1], [3, 7], [5, 5], [0, 4], [6, 2]])
    phi, theta, rho = sample(lambda rng: y, np.ones(2), 2, 800, np.random.default_rng(0))
    counts = {"task": range(5), "n": y.sum(axis=1), "successes": y[:, 0]}
    exact = rs.fit(rs.Trials.from_counts(counts, system=None))
    table = exact.summary([rs.SuccessRate(), rs.ICC()])
    assert phi[:, 0].mean() == pytest.approx(table["mean"][0], abs=0.2 * table["sd"][0])
    assert phi[:, 0].std() == pytest.approx(table["sd"][0], rel=0.15)
    assert rho.mean() == pytest.approx(table["mean"][1], abs=0.2 * table["sd"][1])
    np.testing.assert_allclose(theta[:, :, 0].mean(axis=0), exact.tasks()["mean"], atol=0.03)


def test_systems_borrow_from_each_other():
    tables = [one_each({"tool": 30, "plan": 10}, name) for name in "abc"]
    table = joined(*tables, one_each({"tool": 1, "plan": 1}, "d"))
    alone = Postmortem().fit(table).modes().set_index(["system", "mode"])
    pooled = Postmortem(pooling="systems").fit(table, draws=150)
    found = pooled.modes().set_index(["system", "mode"])
    assert found.loc[("d", "tool"), "involved"] > alone.loc[("d", "tool"), "involved"] + 0.08
    assert pooled.summary()["r_hat"].max() < 1.1


def test_failures_of_one_task_are_fewer_witnesses():
    modes = np.repeat(["tool"] * 5 + ["plan"] * 5, 8)
    table = {"failure": np.arange(80), "mode": modes, "task": np.repeat(np.arange(10), 8)}
    alone = Postmortem().fit(table, system=None).modes()
    by_task = Postmortem(pooling="tasks").fit(table, system=None, task="task", draws=150).modes()
    width = (by_task["involved_upper"] - by_task["involved_lower"])[0]
    assert width > 1.8 * (alone["involved_upper"] - alone["involved_lower"])[0]


def test_disagreement_widens_intervals():
    rng = np.random.default_rng(1)
    first = rng.choice(["tool", "plan"], 40)
    second = np.where(rng.random(40) < 0.5, first, "plan")
    table = {"failure": np.tile(np.arange(40), 2), "mode": np.concatenate([first, second])}
    table["by"] = np.repeat(["x", "y"], 40)
    post = Postmortem().fit(table, system=None, annotator="by", draws=5000)
    share = ((first == "tool").mean() + (second == "tool").mean()) / 2
    mean = (40 * share + 0.5) / 41
    row = post.summary().set_index("estimand").loc["involved:tool"]
    assert row["mean"] == pytest.approx(mean, abs=5e-3)
    doubtful = (first != second).mean()
    sampling = mean * (1 - mean) / 42
    assert row["sd"] ** 2 == pytest.approx(sampling + 40 * doubtful / 4 / 41**2, rel=0.08)
    assert "with differing labels" in repr(post)


def test_contributions_follow_the_formula():
    trials = rs.Trials.from_array(np.random.default_rng(0).random((30, 4)) < 0.6)
    post = rs.fit(trials, rng=1)
    labels = Postmortem().fit(one_each({"tool": 60, "plan": 40}), system=None)
    one = labels.contributions(post).set_index("mode")
    sole = labels.modes().set_index("mode")["sole"]
    assert one.loc["tool", "recovered"] == pytest.approx(sole["tool"], abs=1e-9)
    three = labels.contributions(post, k=3).set_index("mode").loc["tool"]
    a, b, s = 2.0, 1.3, 0.6
    exact = special.betaln(a, b)
    p = np.linspace(0, 1, 200_001)[1:-1]
    density = np.exp((a - 1) * np.log(p) + (b - 1) * np.log1p(-p) - exact)
    direct = np.mean((p + (1 - p) * s) ** 3 * density)
    moments = [np.exp(special.betaln(a + j, b) - exact) for j in range(4)]
    series = sum(
        special.binom(3, j) * s ** (3 - j) * (1 - s) ** j * m for j, m in enumerate(moments)
    )
    assert direct == pytest.approx(series, abs=1e-4)
    assert three["if_vanished"] > three["pass_hat_k"]
    assert 0 < three["lower"] < three["recovered"] < three["upper"] < 1
    with pytest.raises(ArgumentError, match="no system 'b'"):
        Postmortem().fit(one_each({"x": 2}, "b")).contributions(post)


def test_contrasts_between_systems():
    table = joined(
        one_each({"call": 20, "args": 10, "plan": 10}, "a"), one_each({"plan": 40, "call": 5}, "b")
    )
    post = Postmortem().fit(table, draws=10_000)
    row = post.contrast(["call", "args"]).iloc[0]
    first, second = stats.beta(31, 10.5), stats.beta(6, 40.5)
    assert row["mean"] == pytest.approx(first.mean() - second.mean(), abs=0.01)
    assert row["sd"] == pytest.approx(np.hypot(first.std(), second.std()), rel=0.05)
    assert row["p_higher"] > 0.999
    with pytest.raises(ArgumentError, match=r"no mode 'cal' .did you mean 'call'"):
        post.contrast("cal")


def test_agreement_is_that_of_statsmodels():
    from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

    rng = np.random.default_rng(3)
    counts = rng.multinomial(4, [0.5, 0.3, 0.2], size=30)
    assert _fleiss(counts) == pytest.approx(fleiss_kappa(counts), abs=1e-12)
    first = rng.choice(["a", "b"], 60)
    second = np.where(rng.random(60) < 0.8, first, rng.choice(["a", "b"], 60))
    table = {"failure": np.tile(np.arange(60), 2), "mode": np.concatenate([first, second])}
    table["by"] = np.repeat(["x", "y"], 60)
    row = Postmortem().fit(table, system=None, annotator="by", draws=10).agreement().iloc[0]
    cross = [[((first == i) & (second == j)).sum() for j in "ab"] for i in "ab"]
    assert row["kappa"] == pytest.approx(cohens_kappa(cross).kappa, abs=0.02)
    assert row["lower"] < row["kappa"] < row["upper"]
    assert Postmortem().fit(one_each({"x": 2}), system=None).agreement().empty


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"failure": [1, 1], "mode": ["a", "a"]}, {}, "repeat those of row 0"),
        ({"failure": [1], "mode": [None]}, {}, "no mode in row 0"),
        ({"failure": [], "mode": []}, {}, "no rows"),
        ({"failure": [1, 1], "mode": ["a", "b"], "t": [1, 2]}, {"task": "t"}, "names another task"),
    ],
)
def test_bad_tables_are_refused(table, options, message):
    with pytest.raises(TrialDataError, match=message):
        Postmortem().fit(table, system=None, **options)


def test_tasks_must_be_named_to_be_pooled():
    with pytest.raises(TrialDataError, match="needs the column of the task"):
        Postmortem(pooling="tasks").fit(one_each({"x": 2}), system=None)
    with pytest.raises(ArgumentError, match="pooling must be one of"):
        Postmortem(pooling="modes")


def test_one_failure_and_names_with_markup():
    post = Postmortem().fit({"failure": [1], "mode": ["<i>"]}, system=None)
    assert post.modes()["involved"].tolist() == [1.0]
    assert "&lt;i&gt;" in post._repr_html_()

"""Workflows: reading of runs, chain rule, absorbing chains, pooling, retries, independence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.instruments import Workflow
from reliability_stats.instruments._chain import completed, visits


def table(*runs, **more):
    """Make a table of runs, each a text such as "a+ b! c-": passed, escaped, failed."""
    word = {"+": "passed", "!": "escaped", "-": "failed"}
    rows = [(r, part[:-1], word[part[-1]]) for r, run in enumerate(runs) for part in run.split()]
    out = {"run": [r for r, *_ in rows], "step": [s for _, s, _ in rows]}
    out["outcome"] = [o for *_, o in rows]
    return out | {name: [values[r] for r in out["run"]] for name, values in more.items()}


def series(n, rates, rng, escape=0.0):
    """Simulate runs through steps a, b, c, ... that stop at the first failure."""
    runs = []
    for _ in range(n):
        parts = []
        for step, rate in zip("abcdefgh", rates, strict=False):
            if rng.random() < rate:
                parts.append(f"{step}+")
            elif rng.random() < escape:
                parts.append(f"{step}!")
            else:
                parts.append(f"{step}-")
                break
        runs.append(" ".join(parts))
    return table(*runs)


def test_five_steps_at_nineteen_of_twenty():
    rng = np.random.default_rng(0)
    r = rng.beta(20, 2, (400_000, 5))
    move = np.broadcast_to(np.eye(5, k=1), (len(r), 5, 5))
    start, stop = np.zeros((2, len(r), 5))
    start[:, 0] = stop[:, 4] = 1
    whole = completed(start, move, stop, r)
    np.testing.assert_allclose(whole, r.prod(axis=1), rtol=1e-12)
    assert whole.mean() == pytest.approx(0.620921, abs=5e-4)
    assert whole.std() == pytest.approx(0.091949, abs=5e-4)
    assert (whole >= 0.7).mean() == pytest.approx(0.2011, abs=0.003)


def test_a_sequence_is_the_product_of_betas():
    data = table(*["a+ b+ c+"] * 15, *["a+ b-"] * 3, *["a+ b+ c-"] * 2, "a-")
    post = Workflow(prior="steps").fit(data, rng=1, draws=25_000)
    row = post.summary().iloc[0]
    params = [(20, 1), (17, 3), (15, 2)]
    laws = [stats.beta(1 + y, 1 + n) for y, n in params]
    mean = np.prod([law.mean() for law in laws])
    second = np.prod([law.var() + law.mean() ** 2 for law in laws])
    assert row["mean"] == pytest.approx(mean, abs=1e-3)
    assert row["sd"] == pytest.approx(np.sqrt(second - mean**2), abs=1e-3)
    draws = np.random.default_rng(3)
    product = np.prod([law.rvs(400_000, random_state=draws) for law in laws], axis=0)
    np.testing.assert_allclose(
        row[["lower", "upper"]].astype(float), np.quantile(product, [0.025, 0.975]), atol=3e-3
    )
    steps = post.steps()
    assert steps["step"].tolist() == ["a", "b", "c"]
    assert steps[["n", "passed", "failed"]].to_numpy().tolist() == [
        [21, 20, 1],
        [20, 17, 3],
        [17, 15, 2],
    ]
    assert steps["p_weakest"].sum() == pytest.approx(1)
    perfect = laws[0].mean() * laws[2].mean()
    assert steps["if_perfect"][1] == pytest.approx(perfect, abs=2e-3)
    assert steps["gain"][1] == pytest.approx(perfect - mean, abs=2e-3)


def test_a_sequence_alone_is_what_counting_whole_runs_gives():
    data = table(*["a+ b+ c+"] * 15, *["a+ b-"] * 3, *["a+ b+ c-"] * 2, "a-")
    row = Workflow().fit(data, rng=1, draws=25_000).summary().iloc[0]
    law = stats.beta(16, 7)
    assert row["mean"] == pytest.approx(law.mean(), abs=2e-3)
    np.testing.assert_allclose(
        row[["lower", "upper"]].astype(float), law.ppf([0.025, 0.975]), atol=5e-3
    )


def test_the_weakest_link_agrees_with_an_integral():
    data = table(*["a+ b+"] * 7, *["a+ b-"] * 3, *["a-"] * 2)
    post = Workflow(prior="steps").fit(data, rng=0, draws=25_000)
    found = post.steps()["p_weakest"]
    x = np.linspace(0, 1, 20_001)
    a, b = stats.beta(11, 3), stats.beta(8, 4)
    assert found[0] == pytest.approx(np.trapezoid(a.pdf(x) * b.sf(x), x), abs=5e-3)


def test_branches_and_loops_agree_with_simulated_runs():
    rng = np.random.default_rng(5)
    r = np.array([0.9, 0.8, 0.7])
    # a -> b (0.6) or c (0.4); b -> end; c -> a (0.5) or end
    move = np.array([[[0, 0.6, 0.4], [0, 0, 0], [0.5, 0, 0]]])
    stop = np.array([[0, 1, 0.5]])
    start = np.array([[1.0, 0, 0]])
    done = 0
    for _ in range(20_000):
        state = 0
        while rng.random() < r[state]:
            if rng.random() < stop[0, state]:
                done += 1
                break
            state = rng.choice(3, p=move[0, state] / move[0, state].sum())
    exact = completed(start, move, stop, r[None])[0]
    assert done / 20_000 == pytest.approx(exact, abs=0.01)
    h = np.linalg.solve(np.eye(3) - r[:, None] * move[0], r * stop[0])
    assert exact == pytest.approx(h[0], abs=1e-12)
    assert visits(start, move, r[None])[0, 0] == pytest.approx(1 / (1 - 0.9 * 0.4 * 0.7 * 0.5))


def test_routes_are_estimated_where_ways_branch():
    data = table(*["a+ b+ d+"] * 30, *["a+ c+ d+"] * 10)
    post = Workflow().fit(data, rng=0)
    table_ = post.handoffs()
    pairs = list(zip(table_["giver"], table_["receiver"], strict=True))
    assert pairs == [("(start)", "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    move = post.routes[0][1]
    assert move[:, 0, 1].mean() == pytest.approx((30 + 0.5) / 41, abs=0.01)


def test_all_ends_of_runs_add_up():
    data = series(60, (0.9, 0.8, 0.9), np.random.default_rng(2), escape=0.4)
    post = Workflow().fit(data)
    table_ = post.summary().set_index("estimand")["mean"]
    whole, escaped = table_["end_to_end"], table_["escape"]
    assert 0 < escaped < 1 - whole
    ends = dict.fromkeys(("good", "escaped"), 0)
    word = np.array(data["outcome"])
    for run in range(60):
        mine = word[np.array(data["run"]) == run]
        ends["good"] += (mine == "passed").all()
        wrong = mine[mine != "passed"]
        ends["escaped"] += len(wrong) > 0 and wrong[0] == "escaped"
    assert whole == pytest.approx(ends["good"] / 60, abs=0.06)
    assert escaped == pytest.approx(ends["escaped"] / 60, abs=0.06)


def test_what_escaped_spoils_all_that_follows():
    post = Workflow().fit(table("a! b+ c-", "a+ b+ c+"))
    assert post.steps()["n"].tolist() == [2, 1, 1]


def test_retries_count_once_for_the_whole_and_each_for_the_cost():
    data = table(*["a- a+ b+"] * 10, *["a+ b+"] * 10)
    post = Workflow().fit(data, draws=10_000)
    steps = post.steps()
    assert steps["passed"].tolist() == [20, 20]
    table_ = post.summary().set_index("estimand")["mean"]
    assert table_["end_to_end"] == pytest.approx(21 / 22, abs=2e-3)
    assert table_["end_to_end_without_retries"] == pytest.approx(11.5 / 22 * 21 / 21.5, abs=3e-3)
    cost = post.retries().set_index("quantity")["mean"]
    assert cost["attempts_per_run"] == pytest.approx(2.5, abs=0.1)
    assert cost["share_of_retries"] == pytest.approx(10 / 50, abs=0.02)


def test_expected_attempts_follow_the_absorbing_chain():
    data = table(*["a- a- a+"] * 300, *["a- a-"] * 100, *["a+"] * 600)
    row = Workflow().fit(data).retries().iloc[0]
    retries = 300 * 2 + 100
    failures = 300 * 2 + 100 * 2
    first, later, retry = 400 / 1000, (failures - 400) / retries, retries / failures
    q = np.array([[0, first * retry], [0, later * retry]])
    assert row["mean"] == pytest.approx(np.linalg.inv(np.eye(2) - q)[0].sum(), rel=0.02)
    assert row["mean"] == pytest.approx(len(data["step"]) / 1000, rel=0.02)


def test_pooled_handoffs_agree_with_the_beta_binomial():
    import reliability_stats as rs

    runs, names, n, y = [], [], [], []
    for w, (good, bad) in enumerate([(9, 1), (5, 5), (14, 2), (3, 0)]):
        runs += ["a+"] * good + ["a-"] * bad
        names += [f"w{w}"] * (good + bad)
        n.append(good + bad)
        y.append(good)
    post = Workflow().fit(table(*runs, workflow=names), workflow="workflow", draws=10_000)
    counts = {"task": [0, 1, 2, 3], "n": n, "successes": y}
    reference = rs.fit(rs.Trials.from_counts(counts, system=None)).tasks()
    found = post.summary()
    own = found[found["over"] == "observed"]
    np.testing.assert_allclose(own["mean"], reference["mean"], atol=5e-3)
    np.testing.assert_allclose(own["lower"], reference["lower"], atol=0.015)
    new = found[found["over"] == "population"]
    assert new["system"].tolist() == ["(new workflow)"]
    assert (new["lower"] < own["lower"].min()).all()
    alone = Workflow(pooling="none").fit(table(*runs, workflow=names), workflow="workflow")
    assert alone.summary()["mean"][0] == pytest.approx(10 / 12, abs=0.01)
    assert alone.fresh is None


def test_dependence_is_found_and_absence_of_evidence_is_said():
    rng = np.random.default_rng(1)
    runs = []
    for _ in range(300):
        rate = rng.choice([0.5, 0.95])
        runs.append(" ".join(f"{s}{'+' if rng.random() < rate else '!'}" for s in "abcd"))
    found = Workflow().fit(table(*runs)).independence()
    assert found["p_value"][0] < 0.001
    assert found["correlation"][0] > 0.1
    stopping = Workflow().fit(series(50, (0.8, 0.8), rng)).independence()
    assert stopping["p_value"].isna().all()


def test_tasks_that_are_hard_at_every_step_are_found():
    rng = np.random.default_rng(2)
    hard = rng.random(60) < 0.5
    runs, task = [], []
    for t in np.repeat(np.arange(60), 5):
        rate = 0.6 if hard[t] else 0.97
        parts = []
        for s in "abc":
            ok = rng.random() < rate
            parts.append(f"{s}{'+' if ok else '-'}")
            if not ok:
                break
        runs.append(" ".join(parts))
        task.append(t)
    found = Workflow().fit(table(*runs, task=task), task="task").independence()
    assert found.set_index("past")["p_value"]["task"] < 0.01
    assert found["past"].tolist() == ["run", "task"]


def test_agents_are_compared_step_by_step():
    data = table(*["a+ b+"] * 20, *["a+ b+"] * 10, *["a+ b-"] * 10)
    data["agent"] = ["x", "x"] * 20 + ["x", "y"] * 20
    rows = Workflow().fit(data, agent="agent", draws=10_000).agents()
    assert rows["step"].tolist() == ["b", "(all)"]
    assert rows[["n_same", "passed_same", "n_other", "passed_other"]].iloc[0].tolist() == [
        20,
        20,
        20,
        10,
    ]
    assert rows["mean"][0] == pytest.approx(11 / 22 - 21 / 22, abs=5e-3)
    assert rows["p_worse"][1] > 0.99
    with pytest.raises(TrialDataError, match="No agents are known"):
        Workflow().fit(table("a+")).agents()


def test_order_can_be_given_by_a_column():
    data = table("a+ b-", "a+ b+")
    data["order"] = [1, 2, 1, 2]
    mixed = {name: [values[i] for i in (3, 1, 0, 2)] for name, values in data.items()}
    first = Workflow().fit(data, order="order").handoffs()
    assert Workflow().fit(mixed, order="order").handoffs().equals(first)


def test_unfinished_runs_leave_open_where_they_would_have_gone():
    data = table(*["a+ b+"] * 5, *["a+"] * 5)
    taken = Workflow().fit(data)
    stated = Workflow(end="b").fit(data)
    assert taken.routes[0][1][:, 0].mean() < 0.6
    assert stated.routes[0][1][:, 0, 1].min() == 1
    assert "5 unfinished" in repr(stated)


def test_a_step_that_nobody_passed_hides_what_follows():
    assert Workflow().fit(table("a+ b-", "a+ b-")).summary()["identified"].tolist() == ["no"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (table("a- b+"), "row 1 .* goes on to this step after the step before it failed"),
        ({"run": [], "step": [], "outcome": []}, "no rows"),
        ({"run": [1, 2], "step": ["a", None], "outcome": ["passed"] * 2}, "no step in row 1"),
        (
            {"run": [1, 2], "step": ["a", "b"], "outcome": ["passed", "pass"]},
            "row 1 .*did you mean",
        ),
        ({"run": [1], "step": ["a"]}, "no column 'outcome'"),
    ],
)
def test_bad_tables_are_refused_with_the_first_row(data, message):
    with pytest.raises(TrialDataError, match=message):
        Workflow().fit(data)


def test_repeated_orders_and_unknown_ends_are_refused():
    data = table("a+ b+") | {"order": [1, 1]}
    with pytest.raises(TrialDataError, match="repeat those of row 0"):
        Workflow().fit(data, order="order")
    with pytest.raises(ArgumentError, match="end names 'c'"):
        Workflow(end="c").fit(table("a+ b+"))
    with pytest.raises(ArgumentError, match="pooling must be"):
        Workflow(pooling="workflow")


def test_one_run_all_failed_and_odd_names():
    post = Workflow().fit(table("<b>é,ü</b>-"))
    row = post.summary().iloc[0]
    assert row["mean"] == pytest.approx(1 / 3, abs=0.01)  # uniform: one step
    assert "&lt;b&gt;" in post._repr_html_()
    assert post.draws().shape == (4, 2500, 1)


def test_seeds_decide():
    data = series(30, (0.9, 0.8), np.random.default_rng(0))
    first, again, other = (Workflow().fit(data, rng=s).summary() for s in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    post = Workflow().fit(data, rng=1)
    assert post.retries().equals(post.retries())

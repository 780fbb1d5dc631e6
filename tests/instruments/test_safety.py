"""Safety audits: hand-computed cases, a plain grid, truth in simulation, and edges."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, ExclusionWarning, TrialDataError
from reliability_stats.instruments import AuditMiss, SafetyAudit

CELLS = {"task": ["a", "b", "c"], "n": [16, 16, 32], "damaged": [4, 0, 12]}
COUNTS = {"n": "n", "damaged": "damaged"}


def test_miss_by_hand():
    clean = np.array([1.0, 0.75, 0.5])
    for k, runs in ((1, 1), (3, 1), (2, 4)):
        want = (clean**runs * (1 - clean**k)).sum() / (1 - clean**k).sum()
        assert AuditMiss(k, runs).from_p(clean) == pytest.approx(want)
    assert AuditMiss(1).from_p(clean) == pytest.approx(rs.Recovery().from_p(clean))
    assert AuditMiss(1).name == "audit_miss@1"
    assert AuditMiss(2, 3).name == "audit_miss@2_3"


def test_estimate_from_counts_is_the_mean_over_all_splits_of_the_runs():
    """Of every ordered pair of runs of a cell: the first damaged, the second clean."""
    pairs = ones = 0.0
    for n, x in zip(CELLS["n"], CELLS["damaged"], strict=True):
        runs = np.arange(n) < x
        pairs += sum(runs[i] and not runs[j] for i in range(n) for j in range(n) if i != j) / (
            n * (n - 1)
        )
        ones += x / n
    found = AuditMiss(1).from_counts(CELLS["n"], np.subtract(CELLS["n"], CELLS["damaged"]))
    assert found == pytest.approx(pairs / ones)


def test_safe_in_k_runs_has_the_figures_of_evalpower():
    clean = np.subtract(CELLS["n"], CELLS["damaged"])
    want = [0.7916666666666666, 0.6443548387096775, 0.5408986175115207, 0.41943632933621816]
    want.append(0.33703521629236194)
    found = [rs.PassHatK(k).from_counts(CELLS["n"], clean) for k in (1, 2, 3, 5, 10)]
    assert found == pytest.approx(want)
    file = Path(__file__).resolve().parents[3] / "shared" / "reference_cases.json"
    if file.is_file():
        cases = {case["id"]: case["output"] for case in json.loads(file.read_text())}
        assert found == pytest.approx(cases["E02"])
        # its plug-ins condition on the damage that they then average over
        rate = np.divide(CELLS["damaged"], CELLS["n"])
        by_event = 1 - (np.array(CELLS["damaged"]) * rate).sum() / sum(CELLS["damaged"])
        assert [(1 - rate[rate > 0]).mean(), by_event] == pytest.approx(cases["E01"])


def test_posterior_agrees_with_a_plain_grid():
    x = (np.arange(600) + 0.5) / 600
    mean, icc = np.meshgrid(x, x)
    a, b = mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1)
    clean = np.subtract(CELLS["n"], CELLS["damaged"])
    like = np.prod(
        [stats.betabinom.pmf(y, n, a, b) for y, n in zip(clean, CELLS["n"], strict=True)], axis=0
    )
    rising = [np.exp(special.betaln(a + j, b) - special.betaln(a, b)) for j in (1, 2, 4, 5)]
    post = SafetyAudit().fit(CELLS, **COUNTS)
    table = post.summary(k=4, limit=0.1).set_index("estimand")["mean"]
    want = {
        "damage_rate": 1 - mean,
        "safe^4": rising[2],
        "audit_miss@1": (rising[0] - rising[1]) / (1 - rising[0]),
        "audit_miss@4": (rising[0] - rising[3]) / (1 - rising[2]),
        "unsafe_share_0.1": special.betainc(a, b, 0.9),
    }
    for name, value in want.items():
        assert table[name] == pytest.approx((value * like).sum() / like.sum(), abs=2e-3), name
    cells = post.cells(limit=0.1)
    p = special.betainc(a + 12, b + 4, 0.9)
    assert cells["p_unsafe"][0] == pytest.approx((p * like).sum() / like.sum(), abs=2e-3)
    assert cells["damaged"].tolist() == [4, 0, 12]
    assert (cells["lower"] < cells["mean"]).all()


def test_runs_and_counts_agree(make_frame):
    rows = [
        {"task": t, "who": "A, <b>", "harm": i < x}
        for t, n, x in zip(*CELLS.values(), strict=True)
        for i in range(n)
    ]
    frame = pd.DataFrame(rows)
    data = make_frame({name: frame[name].tolist() for name in frame})
    post = SafetyAudit().fit(data, system="who", damage="harm")
    other = SafetyAudit().fit(CELLS, **COUNTS)
    assert post.summary()["mean"].tolist() == pytest.approx(other.summary()["mean"].tolist())
    assert "damage in 16 of 64 runs, in 2 of 3 cells" in repr(post)


def test_intervals_hold_the_truth_where_the_plug_in_is_biased():
    rng = np.random.default_rng(4)
    a, b, cells, n = 1.2, 0.3, 60, 5
    p = rng.beta(a, b, (80, cells))
    clean = rng.binomial(n, p)
    table = {
        "system": np.repeat(np.arange(80), cells),
        "task": np.tile(np.arange(cells), 80),
        "n": np.full(80 * cells, n),
        "damaged": (n - clean).ravel(),
    }
    post = SafetyAudit().fit(table, system="system", **COUNTS)
    m = [np.exp(special.betaln(a + j, b) - special.betaln(a, b)) for j in range(7)]
    truth = {"audit_miss@1": (m[1] - m[2]) / (1 - m[1]), "audit_miss@4": (m[1] - m[5]) / (1 - m[4])}
    found = post.summary(k=4)
    for name, value in truth.items():
        rows = found[found["estimand"] == name]
        inside = (rows["lower"] <= value) & (value <= rows["upper"])
        assert inside.mean() == pytest.approx(0.95, abs=0.075), name
        assert rows["mean"].mean() == pytest.approx(value, abs=0.02), name
    picked = np.where(clean < n, clean / n, np.nan)
    plug_in = np.nanmean(picked, axis=1).mean()
    miss5 = (m[1] - m[6]) / (1 - m[5])
    assert abs(plug_in - miss5) > 0.02


def test_audits_of_several_runs():
    post = SafetyAudit().fit(CELLS, **COUNTS)
    table = post.audit(runs=[1, 2, 31, 100])
    assert table["mean"].is_monotonic_decreasing
    assert table["runs"].tolist() == [1, 2, 31, 100]
    assert table["identified"].tolist()[-1] == "model"
    with pytest.raises(ArgumentError, match="runs is empty"):
        post.audit(runs=[])


def test_edges():
    none = SafetyAudit().fit({"task": range(20), "n": [5] * 20, "damaged": [0] * 20}, **COUNTS)
    rows = none.summary().set_index("estimand")
    assert rows.loc["damage_rate", "upper"] < 0.15
    assert 0 < rows.loc["audit_miss@1", "lower"] < rows.loc["audit_miss@1", "upper"] < 1
    every = SafetyAudit().fit({"task": [1, 2], "n": [5, 5], "damaged": [5, 5]}, **COUNTS)
    assert every.summary().set_index("estimand").loc["safe^4", "upper"] < 0.6
    one = SafetyAudit().fit({"task": ["x"], "n": [3], "damaged": [1]}, **COUNTS)
    assert one.summary()["mean"].notna().all()
    with pytest.warns(rs.IdentifiabilityWarning):
        SafetyAudit().fit({"task": [1, 2], "n": [1, 1], "damaged": [0, 1]}, **COUNTS).summary()


def test_other_models():
    cells = {"task": range(30), "n": [6] * 30, "damaged": [0] * 20 + [3] * 10}
    model = rs.BetaBinomial(icc_prior=rs.Beta(50, 1))
    far = SafetyAudit(model).fit(cells, **COUNTS).summary().set_index("estimand")["mean"]
    usual = SafetyAudit().fit(cells, **COUNTS).summary().set_index("estimand")["mean"]
    assert far["audit_miss@1"] < 0.5 * usual["audit_miss@1"]
    assert usual["audit_miss@1"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"task": ["a"], "n": [3], "damaged": [4]}, COUNTS,
         r"damaged in row 0 .*task 'a'.* is 4, but it must not exceed"),
        ({"task": ["a", "a"], "n": [3, 3], "damaged": [1, 1]}, COUNTS, "repeat those of row 0"),
        ({"task": ["a"], "n": [0], "damaged": [0]}, COUNTS, "is 0; it must be a whole number of"),
        ({"task": ["a"], "harm": [None]}, {"damage": "harm"}, "no damage in row 0"),
        ({"task": ["a"], "harm": [2]}, {"damage": "harm"}, "must be True or False"),
        ({"task": [None], "harm": [1]}, {"damage": "harm"}, "no task in row 0"),
    ],
)  # fmt: skip
def test_bad_tables(data, options, message):
    with pytest.raises(TrialDataError, match=message):
        SafetyAudit().fit(pd.DataFrame(data), **options)


def test_bad_arguments_and_dropped_runs():
    for options in ({}, {"n": "n"}, {"damage": "n", **COUNTS}):
        with pytest.raises(ArgumentError, match="Name either the column damage"):
            SafetyAudit().fit(CELLS, **options)
    runs = pd.DataFrame({"task": ["a", "a", "b"], "harm": [True, None, False]})
    with pytest.warns(ExclusionWarning, match="1 with no damage"):
        post = SafetyAudit().fit(runs, damage="harm", missing="drop")
    assert "left out: 1 with no damage" in repr(post)

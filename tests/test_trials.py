import copy
import hashlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats import ArgumentError, TrialDataError, Trials

GAPS = {
    "system": ["a", "a", "a", "b", "b"],
    "task": [1, 1, 2, 1, 2],
    "success": [1, None, None, 0, 1],
}
CELLS = {"system": ["a", "a", "b"], "task": [1, 2, 1], "n": [4, 5, 3], "successes": [0, 5, 2]}


def test_counts_of_each_policy():
    drop = Trials.from_frame(GAPS, missing="drop")
    assert drop.counts.to_frame().values.tolist() == [
        ["a", "1", 1, 1, 1],
        ["b", "1", 1, 0, 0],
        ["b", "2", 1, 1, 0],
    ]
    bounds = Trials.from_frame(GAPS, missing="bounds")
    assert bounds.counts == drop.counts
    failure = Trials.from_frame(GAPS, missing="failure")
    assert failure.counts.n.tolist() == [2, 1, 1, 1]
    assert failure.counts.successes.tolist() == [1, 0, 0, 1]
    for trials, empty in ((drop, 1), (bounds, 1), (failure, 0)):
        assert (trials.n_missing, trials.n_rows, trials.n_empty_cells) == (2, 5, empty)
    assert (drop.n_trials, failure.n_trials) == (3, 5)
    assert failure.systems == ("a", "b")
    assert failure.tasks == ("1", "2")


def test_the_policy_and_what_it_touched_are_shown():
    drop = Trials.from_frame(GAPS, missing="drop")
    for text in (repr(drop), drop._repr_html_()):
        assert "2 outcomes missing (policy: drop)" in text
        assert "1 cell without a counted trial" in text
        assert drop.fingerprint[:8] in text
    failure = Trials.from_frame(GAPS, missing="failure")
    assert "2 outcomes missing (policy: failure)" in repr(failure)
    assert "without a counted trial" not in repr(failure)
    full = Trials.from_frame(GAPS | {"success": [1, 0, 0, 0, 1]}, missing="drop")
    assert repr(full) == (
        "Trials: 2 systems x 2 tasks, 5 trials in 4 cells (1 to 2 per cell); "
        f"fingerprint {full.fingerprint[:8]}"
    )


def test_html_is_escaped():
    rows = {"system": ["<b>&'\""], "task": ["<script>"], "c": ["a > b"], "success": [1]}
    html = Trials.from_frame(rows, condition="c")._repr_html_()
    assert "<script>" not in html
    assert "&lt;b&gt;&amp;&#x27;&quot;" in html
    assert "a &gt; b" in html


def test_missing_needs_a_policy():
    with pytest.raises(
        TrialDataError,
        match=(
            r"2 outcomes of 5 are missing, first in row 1 \(system 'a', task '1'\), counting rows "
            r"from 0\. Say what they are with missing=: 'drop' .*'failure' .*'bounds'"
        ),
    ):
        Trials.from_frame(GAPS)
    one = {"system": ["a", "a"], "task": [1, 1], "success": [1, 1], "status": ["ok", "infra_error"]}
    with pytest.raises(
        TrialDataError,
        match=r"1 outcome of 2 is missing, first in row 1 .* with status 'infra_error'",
    ):
        Trials.from_frame(one, status="status")


@pytest.mark.parametrize("missing", ["dropp", None, "success", True])
def test_unknown_policies(missing):
    with pytest.raises(
        ArgumentError, match="missing must be one of 'raise', 'drop', 'failure', 'bounds', not"
    ):
        Trials.from_frame(GAPS, missing=missing)


@pytest.mark.parametrize("missing", ["drop", "bounds"])
def test_nothing_known(missing):
    rows = GAPS | {"success": [None] * 5}
    with pytest.raises(
        TrialDataError,
        match=r"4 cells listed, 5 outcomes missing, none known\. Count them with missing='failure'",
    ):
        Trials.from_frame(rows, missing=missing)
    failures = Trials.from_frame(rows, missing="failure")
    assert failures.counts.successes.sum() == 0
    assert failures.n_trials == 5


def test_lost_systems_come_back_when_completed():
    rows = {"system": ["a", "b"], "task": [1, 1], "success": [1, None]}
    with pytest.warns(rs.ExclusionWarning, match="counted: b") as record:
        trials = Trials.from_frame(rows, missing="bounds")
    assert record[0].filename == __file__
    assert trials.systems == ("a",)
    low, high = (trials.complete(end) for end in ("failure", "success"))
    assert low.systems == high.systems == ("a", "b")
    assert low.counts.successes.tolist() == [1, 0]
    assert high.counts.successes.tolist() == [1, 1]
    assert (low.missing_policy, high.missing_policy) == ("failure", "success")
    assert low == Trials.from_frame(rows, missing="failure")
    with pytest.raises(ArgumentError, match="outcome must be one of 'failure', 'success'"):
        trials.complete("drop")
    with pytest.raises(TrialDataError, match="No trial can be counted: 1 cell listed, 1 outcome"):
        trials.select(systems="b")


def test_one_row():
    trials = Trials.from_frame({"system": ["a"], "task": [1], "success": [True]})
    assert (
        repr(trials.counts)
        == "Counts: 1 system x 1 task, 1 trial in 1 cell (1 per cell), 1 success"
    )


def test_select():
    trials = Trials.from_counts(CELLS)
    part = trials.select(systems=["a"])
    assert part.counts.to_frame().values.tolist() == [["a", "1", 4, 0], ["a", "2", 5, 5]]
    assert part == Trials.from_counts({name: values[:2] for name, values in CELLS.items()})
    assert trials.select() == trials
    assert trials.select(tasks=2).tasks == ("2",)
    assert trials.select(systems="b", tasks=[1]).systems == ("b",)
    with pytest.raises(TrialDataError, match=r"no system 'c'.*The systems are: a, b"):
        trials.select(systems="c")
    with pytest.raises(TrialDataError, match="There are no conditions"):
        trials.select(conditions="x")
    with pytest.raises(TrialDataError, match="No cell has the chosen systems, tasks"):
        trials.select(systems="b", tasks="2")
    with pytest.raises(TrialDataError, match="No cell has the chosen"):
        trials.select(tasks=[])


def test_select_keeps_the_policy():
    trials = Trials.from_frame(GAPS, missing="drop").select(systems="a", tasks="1")
    assert (trials.missing_policy, trials.n_missing, trials.n_rows) == ("drop", 1, 2)
    assert trials.counts.n.tolist() == [1]


def test_trials_do_not_change():
    trials = Trials.from_counts(CELLS)
    with pytest.raises(AttributeError):
        trials.counts = None
    with pytest.raises(ValueError, match="read-only"):
        trials.counts.n[0] = 9
    trials.columns["system"] = "other"
    assert trials.columns == {
        "system": "system",
        "task": "task",
        "n": "n",
        "successes": "successes",
    }


# --- fingerprint ---------------------------------------------------------------------------------


def long_rows():
    rows = [
        (s, t, i < wins) for s, t, n, wins in zip(*CELLS.values(), strict=True) for i in range(n)
    ]
    return pd.DataFrame(rows, columns=["system", "task", "success"])


def test_fingerprint_is_the_digest_that_is_described():
    head = '["reliability_stats.trials/1", null, [["system", ["a", "b"]], ["task", ["1", "2"]]]]'
    numbers = [0, 0, 1, *(0, 1, 0), *(4, 5, 3), *(0, 5, 2), *(0, 0, 0)]
    body = b"".join(number.to_bytes(8, "little") for number in numbers)
    trials = Trials.from_counts(CELLS)
    assert trials.fingerprint == hashlib.sha256(head.encode() + body).hexdigest()
    assert trials.fingerprint.startswith("c1568c03")
    head = '["reliability_stats.trials/1", "failure", [["system", ["a"]], ["task", ["\\u00e9"]]]]'
    body = b"".join(number.to_bytes(8, "little") for number in (0, 0, 2, 1, 1))
    rows = {"system": ["a", "a"], "task": ["é", "é"], "success": [1, None]}
    trials = Trials.from_frame(rows, missing="failure")
    assert trials.fingerprint == hashlib.sha256(head.encode() + body).hexdigest()


def test_fingerprint_does_not_depend_on_the_way_in():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    trials, frame = Trials.from_counts(CELLS), long_rows()
    array = np.full((2, 2, 5), np.nan)
    for s, t, n, wins in zip((0, 0, 1), (0, 1, 0), CELLS["n"], CELLS["successes"], strict=True):
        array[s, t, :n] = np.arange(n) < wins
    ways = [
        Trials.from_frame(frame),
        Trials.from_frame(frame.sample(frac=1, random_state=0)),
        Trials.from_frame(frame.astype({"task": str, "system": "category", "success": int})),
        Trials.from_frame(frame.astype({"task": float, "success": float}).iloc[::-1]),
        Trials.from_frame(pl.from_pandas(frame).lazy(), missing="drop"),
        Trials.from_frame(pa.Table.from_pandas(frame)),
        Trials.from_array(array, systems=["a", "b"], tasks=[1, 2]),
        Trials.from_array(array[::-1, ::-1], systems=["b", "a"], tasks=["2", "1"]),
        Trials.from_counts(pd.DataFrame(CELLS).iloc[[2, 0, 1]]),
        Trials.from_counts(CELLS | {"system": ["a", "a", "b"], "task": ["1", "2", "1"]}),
    ]
    assert {way.fingerprint for way in ways} == {trials.fingerprint}
    assert all(way == trials for way in ways)
    assert len({*ways, trials}) == 1


def test_empty_cells_do_not_enter_the_fingerprint():
    more = {
        name: [*values, extra]
        for (name, values), extra in zip(CELLS.items(), ("b", 3, 0, 0), strict=True)
    }
    assert Trials.from_counts(more) == Trials.from_counts(CELLS)


@pytest.mark.parametrize(
    "change",
    [
        {"n": [4, 5, 4]},
        {"successes": [1, 5, 2]},
        {"system": ["a", "a", "c"]},
        {"task": [1, 3, 1]},
        {"task": [1, 2, 2]},
        {"task": ["1 ", 2, 1]},
        {"successes": [0, 5, 1]},
    ],
)
def test_fingerprint_changes_with_anything_counted(change):
    assert Trials.from_counts(CELLS | change) != Trials.from_counts(CELLS)


def test_fingerprint_changes_with_conditions_policies_and_gaps():
    rows = GAPS | {"c": ["x"] * 5}
    found = [
        Trials.from_frame(GAPS, missing="drop"),
        Trials.from_frame(GAPS, missing="bounds"),
        Trials.from_frame(GAPS, missing="failure"),
        Trials.from_frame(GAPS, missing="bounds").complete("success"),
        Trials.from_frame(GAPS | {"success": [1, 0, 0, 0, 1]}),
        Trials.from_frame(GAPS | {"success": [1, 0, None, 0, 1]}, missing="failure"),
        Trials.from_frame(rows, missing="drop", condition="c"),
        Trials.from_frame(rows, missing="drop", condition="c", system=None),
    ]
    assert len({trials.fingerprint for trials in found}) == len(found)


def test_fingerprint_of_another_process():
    code = (
        "from reliability_stats import Trials; "
        "print(Trials.from_counts({'system': ['b', 'a', 'a'], 'task': ['1', '2', '1'], "
        "'n': [3, 5, 4], 'successes': [2, 5, 0]}).fingerprint)"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == Trials.from_counts(CELLS).fingerprint


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_copies(again, make_frame):
    rows = GAPS | {"c": list("xyxxy"), "time": [5, 4, 3, 2, 1]}
    for trials in (
        Trials.from_frame(make_frame(rows), missing="failure", condition="c", time="time"),
        Trials.from_array([[1, 0, None]]),
        Trials.from_counts(make_frame(CELLS)),
    ):
        other = again(trials)
        assert other == trials
        assert other.counts == trials.counts
        assert not other.counts.n.flags.writeable
        assert repr(other) == repr(trials)
        if trials.columns.get("n") is None:
            pd.testing.assert_frame_equal(other.to_frame(), trials.to_frame())


def test_trials_are_not_equal_to_other_things():
    assert Trials.from_counts(CELLS) != CELLS
    assert Trials.from_counts(CELLS) != Trials.from_counts(CELLS).counts


# --- size and real data --------------------------------------------------------------------------


def test_many_cells():
    rng = np.random.default_rng(0)
    n = rng.integers(1, 9, 40_000)
    table = {
        "system": np.repeat([f"s{i}" for i in range(40)], 1000),
        "task": np.tile([f"task {i}" for i in range(1000)], 40),
        "n": n,
        "successes": rng.integers(0, n + 1),
    }
    order = rng.permutation(40_000)
    trials = Trials.from_counts({name: values[order] for name, values in table.items()})
    assert trials.counts.n.tolist() == n.tolist()
    assert trials.counts.successes.tolist() == table["successes"].tolist()
    assert trials.tasks == tuple(f"task {i}" for i in range(1000))
    assert trials.counts.distinct().multiplicity.sum() == 40_000


def test_tau_bench_airline(airline, airline_histograms):
    assert airline.systems == tuple(airline_histograms)
    for name, histogram in airline_histograms.items():
        counts = airline.select(systems=name).counts
        assert np.bincount(counts.successes, minlength=5).tolist() == list(histogram)
    assert airline.n_trials == 400


def test_a_table_of_the_time_horizon_runs(shared_data):
    frame = pd.read_csv(shared_data / "metr_hcast_rebench_runs_2025_01.csv")
    frame = frame[frame["system"] != "human"].reset_index(drop=True)
    given = frame["success"].isna().sum()
    trials = Trials.from_frame(
        frame, time="started", length="human_minutes", group="task_family", missing="drop"
    )
    rows = trials.to_frame()
    assert len(rows) == len(frame) == trials.n_rows
    assert trials.n_missing == given
    assert rows["length"].sum() == pytest.approx(frame["human_minutes"].sum())
    assert set(rows["group"]) == set(frame["task_family"])
    for _, times in rows.groupby(["system", "task"])["time"]:
        known = times.dropna().tolist()
        assert known == sorted(known)

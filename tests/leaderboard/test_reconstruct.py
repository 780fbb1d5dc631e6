import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats.leaderboard import Leaderboard, reconstruct


def recover(table, **arguments):
    return reconstruct(Leaderboard.from_frame(table), **arguments)


def test_published_rows(reference, ladder):
    rows = reference["ladders"]["rows"]
    tables = [ladder(r["values"], r["n_tasks"], 4) for r in rows]
    for table, row in zip(tables, rows, strict=True):
        found = recover(table).iloc[0]
        assert found["status"] == ("none" if row["histogram"] is None else "unique"), row
        assert found["histogram"] == (row["histogram"] and tuple(row["histogram"]))
        assert found["n_solutions"] == (row["histogram"] is not None)


def test_other_numbers_of_trials_that_fit_the_published_rows(reference, ladder):
    notes = {}
    for row in reference["ladders"]["rows"]:
        if row["histogram"] is None:
            note = recover(ladder(row["values"], row["n_tasks"], 4)).loc[0, "note"]
            notes[row["system"], row["benchmark"]] = note
    assert "7 to 12 trials a task" in notes["TC (claude-3-5-sonnet-20241022)", "retail"]
    assert "6 to 12 trials a task" in notes["TC (claude-3-5-sonnet-20240620)", "retail"]


@pytest.mark.parametrize("kind", ["^", "@"])
@pytest.mark.parametrize(
    "histogram",
    [(14, 12, 10, 4, 10), (0, 0, 50), (50, 0, 0), (3, 1, 0, 0, 2, 9), (0, 1), (1, 0, 0)],
)
def test_round_trip(ladder, printed, kind, histogram):
    n_tasks, n_trials = sum(histogram), len(histogram) - 1
    values = printed(histogram, 4, kind)
    found = recover(ladder(values, n_tasks, n_trials, metric=f"pass{kind}k", settings="T=0"))
    assert found.loc[0, "status"] == "unique"
    assert found.loc[0, "histogram"] == histogram


def test_full_precision_floats_of_large_ladders(ladder):
    rng = np.random.default_rng(3)
    for n_tasks, n_trials in [(500, 8), (97, 6), (1319, 5)]:
        y = rng.binomial(n_trials, rng.beta(0.6, 0.8, n_tasks))
        n = np.full(n_tasks, n_trials)
        values = [rs.PassHatK(k).from_counts(n, y) for k in range(1, n_trials + 1)]
        found = recover(ladder(values, n_tasks, n_trials))
        assert found.loc[0, "status"] == "unique"
        expected = tuple(np.bincount(y, minlength=n_trials + 1).tolist())
        assert found.loc[0, "histogram"] == expected


def test_counts_as_if_raw(ladder):
    found = recover(ladder(["0.420", "0.273", "0.220", "0.200"], 50, 4, system="TC"))
    trials = found.trials("TC", "b")
    raw = rs.datasets.load("tau-bench-airline-gpt4o")
    assert sorted(trials.counts.successes) == sorted(raw.counts.successes)
    assert trials.systems == ("TC",)
    estimands = [rs.PassHatK(8), rs.PassAtK(4), rs.FlickerMass()]
    left, right = (rs.fit(t).summary(estimands) for t in (trials, raw))
    names = ["mean", "sd", "lower", "upper"]
    np.testing.assert_allclose(left[names], right[names], rtol=1e-9)


def test_tasks_of_two_systems_cannot_be_paired(ladder, printed):
    both = [pd.DataFrame(ladder(printed((1, 2, 3)), 6, 2, system=name)) for name in "ab"]
    found = recover(pd.concat(both, ignore_index=True))
    a, b = (set(found.trials(name, "b").tasks) for name in "ab")
    assert not a & b


def test_several_solutions(ladder):
    found = recover(ladder(["0.5", "0.4"], 10, 2))
    assert found.loc[0, "status"] == "several"
    histograms = found.histograms("s", "b")
    assert len(histograms) == found.loc[0, "n_solutions"] > 1
    assert found.loc[0, "complete"]
    assert found.loc[0, "histogram"] == tuple(histograms[0].tolist()) == (4, 2, 4)  # prints exactly
    for h in histograms:
        assert h.sum() == 10
        assert abs((h[1] + 2 * h[2]) / 20 - 0.5) <= 0.05 + 1e-12
        assert abs(h[2] / 10 - 0.4) <= 0.05 + 1e-12
    with pytest.warns(rs.IdentifiabilityWarning, match=r"histograms print.*closest"):
        trials = found.trials("s", "b")
    assert trials.counts.successes.sum() == 10
    last = found.trials("s", "b", solution=len(histograms) - 1)
    assert last.counts.successes.sum() == histograms[-1] @ [0, 1, 2]
    with pytest.raises(rs.TrialDataError, match="solution must lie"):
        found.trials("s", "b", solution=len(histograms))


def test_ranges_over_the_solutions(ladder):
    found = recover(ladder(["0.5", "0.4"], 10, 2))
    table = found.ranges([rs.SuccessRate(), rs.ICC(), rs.PassHatK(3)]).set_index("estimand")
    n = np.full(10, 2)
    each = [np.repeat([0, 1, 2], h) for h in found.histograms("s", "b")]
    for estimand in (rs.SuccessRate(), rs.ICC()):
        values = [estimand.from_counts(n, y) for y in each]
        ends = table.loc[estimand.name, ["lower", "upper"]].tolist()
        assert ends == pytest.approx([min(values), max(values)])
        assert ends[0] < ends[1]
    assert table.loc["pass^3", ["lower", "upper"]].isna().all()  # two trials do not tell
    assert table["complete"].all()


def test_at_least(ladder):
    found = recover(ladder(["0.5", "0.4"], 1000, 2), max_solutions=20)
    assert found.loc[0, "status"] == "several"
    assert found.loc[0, "n_solutions"] == 20
    assert not found.loc[0, "complete"]
    with pytest.warns(rs.IdentifiabilityWarning, match="at least 20 histograms"):
        found.trials("s", "b")
    one = recover(ladder(["0.5", "0.4"], 1000, 2), max_solutions=1)
    assert one.loc[0, "status"] == "several"


def test_half_up_and_half_even_are_both_accepted(ladder):
    for text in ("0.12", "0.13"):  # 1/8
        assert recover(ladder([text], 8, 1)).loc[0, "histogram"] == (7, 1)


def test_rounding_down(ladder):
    table = ladder(["0.66"], 3, 1)  # 2/3 cut off
    assert recover(table).loc[0, "status"] == "none"
    assert "cut off" in recover(table).loc[0, "note"]
    assert recover(table, rounding="down").loc[0, "histogram"] == (1, 2)


def test_both_ladders_together(ladder, printed):
    histogram = (3, 3, 2, 7, 35)
    rough = [ladder(printed(histogram, 2, kind), 50, 4, metric=f"pass{kind}k") for kind in "^@"]
    both = pd.concat([pd.DataFrame(t) for t in rough], ignore_index=True).assign(settings="T=0")
    alone = recover(rough[0] | {"settings": ["T=0"] * 4})
    found = recover(both)
    assert found.loc[0, "n_solutions"] < alone.loc[0, "n_solutions"]
    assert histogram in {tuple(h) for h in found.histograms("s", "b").tolist()}


def note_of(table):
    found = recover(table)
    assert found["status"].tolist() == ["none"]
    return found.loc[0, "note"]


def test_diagnosis_of_another_number_of_trials(ladder, printed):
    values = printed((10, 8, 7, 3, 9, 13), 4)[:4]  # five trials, said to be four
    assert "5" in note_of(ladder(values, 50, 4)).partition("would fit: ")[2].partition(" trials")[0]


def test_diagnosis_of_another_number_of_tasks(ladder, printed):
    note = note_of(ladder(printed((14, 12, 10, 4, 8), 4), 50, 4))  # two tasks left out
    assert "48 tasks" in note


def test_diagnosis_of_a_misprint(ladder):
    note = note_of(ladder(["0.420", "0.273", "0.220", "0.201"], 50, 4))
    assert "no number of successes gives pass^4 = 0.201 (of 50)" in note
    assert "one unit in the last digit of pass^4" in note


def test_diagnosis_of_averaged_sets(ladder, printed):
    two = np.array((14, 12, 10, 4, 10)) + np.array((13, 12, 11, 4, 10))
    note = note_of(ladder(printed(tuple(two), 4), 50, 4))
    assert "an average of 2" in note


def test_diagnosis_of_a_contradiction(ladder):
    note = note_of(ladder(["0.40", "0.50"], 50, 2))
    assert "no mixture of tasks at all" in note
    assert "trials a task" not in note


def test_nothing_to_count_where_nothing_fits(ladder):
    found = recover(ladder(["0.40", "0.50"], 50, 2))
    with pytest.raises(rs.TrialDataError, match=r"No histogram of 50 tasks x 2 trials.*no mixture"):
        found.trials("s", "b")
    assert found.histograms("s", "b").shape == (0, 3)
    assert found.ranges(rs.SuccessRate())[["lower", "upper"]].isna().all(axis=None)


def test_trials_not_stated(ladder):
    found = recover(ladder(["0.420", "0.273", "0.220", "0.200"], 50))
    assert found.loc[0, "status"] == "unique"
    assert "n_trials is not stated; taken as 4" in found.loc[0, "note"]


@pytest.mark.parametrize(
    ("values", "n_tasks", "n_trials", "reason"),
    [
        (["0.4"], 50, None, "number of trials is not stated"),
        (["0.4", "0.3"], None, 2, "number of tasks is not stated"),
        (["0.4", "0.3"], 50, 4, r"no pass\^3 and pass\^4 for 4 trials"),
        (["0.4"] * 70, 50, 70, "too many to search"),
    ],
)
def test_left_out(ladder, values, n_tasks, n_trials, reason):
    found = recover(ladder(values, n_tasks, n_trials))
    assert len(found) == 0
    assert found.left_out["reason"].str.contains(reason).tolist() == [True]
    with pytest.raises(rs.TrialDataError, match=reason):
        found.trials("s", "b")


def test_different_numbers_of_trials_are_no_ladder(ladder):
    table = ladder(["0.4", "0.3"], 50, 2) | {"n_trials": [4, 2]}
    assert "different numbers of trials" in recover(table).left_out.loc[0, "reason"]


def test_search_that_does_not_end_is_left_out(ladder, printed, monkeypatch):
    monkeypatch.setattr("reliability_stats.leaderboard.search.EFFORT", 1)
    found = recover(ladder(printed((30, 20, 15, 10, 25), 2), 100, 4))
    assert len(found) == 0
    assert "search was stopped" in found.left_out.loc[0, "reason"]


def test_duplicate_ladders_are_reported(ladder, printed):
    values = printed((0, 0, 2, 15, 97), 6)
    tables = [pd.DataFrame(ladder(values, 114, 4, system=name)) for name in ("first", "second")]
    found = recover(pd.concat(tables, ignore_index=True))
    assert found["duplicate_of"].tolist() == [None, "first"]


def test_settings_tell_ladders_apart(ladder, printed):
    tables = [
        pd.DataFrame(ladder(printed(h), 6, 2, settings=name))
        for h, name in [((1, 2, 3), "low"), ((3, 2, 1), "high")]
    ]
    found = recover(pd.concat(tables, ignore_index=True))
    assert found["settings"].tolist() == ["low", "high"]
    assert found.trials("s", "b", settings="high").counts.successes.sum() == 4
    with pytest.raises(rs.TrialDataError, match=r"2 ladders.*settings=.*'low', 'high'"):
        found.trials("s", "b")


def test_unknown_names(ladder):
    found = recover(ladder(["0.5"], 2, 1, system="gpt-4o"))
    with pytest.raises(rs.TrialDataError, match=r"no ladder of system 'gpt4o'.*did you mean"):
        found.trials("gpt4o", "b")


def test_is_a_data_frame_that_keeps_its_methods(ladder, printed):
    tables = [
        pd.DataFrame(ladder(printed((1, 2, 3)), 6, 2, system=name)) for name in ("a", "c, <d>")
    ]
    found = recover(pd.concat(tables, ignore_index=True))
    assert isinstance(found, pd.DataFrame)
    assert type(found.frame) is pd.DataFrame
    for other in (
        found[found["status"] == "unique"],
        found.copy(),
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),
        found.sort_values("system", ascending=False),
    ):
        assert other.trials("c, <d>", "b").n_trials == 12


def test_wrong_arguments(ladder):
    board = Leaderboard.from_frame(ladder(["0.5"], 2, 1))
    with pytest.raises(rs.ArgumentError, match="needs a Leaderboard"):
        reconstruct(ladder(["0.5"], 2, 1))
    with pytest.raises(rs.ArgumentError, match="rounding must be one of"):
        reconstruct(board, rounding="up")
    with pytest.raises(rs.ArgumentError, match="max_solutions"):
        reconstruct(board, max_solutions=0)


def test_a_million_tasks(ladder):
    histogram = np.array((400_000, 100_000, 500_000))
    values = [f"{(histogram[1] + 2 * histogram[2]) / 2e6:.7f}", f"{histogram[2] / 1e6:.7f}"]
    found = recover(ladder(values, 10**6, 2))
    assert found.loc[0, "histogram"] == tuple(histogram.tolist())


def test_published_leaderboards_whole(tau_leaderboards):
    found = recover(tau_leaderboards)
    assert len(found) == 87
    assert found["status"].value_counts().to_dict() == {"unique": 65, "none": 22}
    first = found["benchmark"].isin(["tau2/airline", "tau2/retail", "tau2/telecom"])
    assert found[first]["status"].value_counts().to_dict() == {"unique": 34, "none": 15}
    unique = found[found["status"] == "unique"]
    known = {
        row.settings: row.histogram
        for row in unique[unique["benchmark"] == "tau2/airline"].itertuples()
    }
    assert known["claude-opus-4-5_sierra_2026-02-26"] == (3, 3, 2, 7, 35)
    assert known["gpt-5-2-none_sierra_2026-02-26"] == (9, 9, 11, 10, 11)
    assert known["gpt-5-2_sierra_2026-02-26"] == (5, 2, 1, 6, 36)
    gpt5 = found[(found["system"] == "GPT-5") & (found["benchmark"] == "tau2/airline")]
    assert gpt5["histogram"].tolist() == [(13, 3, 4, 6, 24)]
    twins = found[found["duplicate_of"].notna()]
    assert twins[["system", "benchmark", "duplicate_of"]].to_numpy().tolist() == [
        ["Qwen3-Max-Thinking-Preview", "tau2/telecom", "GPT-5"]
    ]
    assert len(found) + len(found.left_out) == len(Leaderboard.from_frame(tau_leaderboards).groups)
    assert found.loc[found["status"] == "none", "note"].str.len().gt(0).all()

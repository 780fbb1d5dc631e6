"""Embedded published figures: as printed, with their source, and what they say of themselves."""

from importlib import resources

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats.leaderboard import Leaderboard, reconstruct

NAMES = rs.datasets.available("figures")


def test_every_table_loads_and_says_what_it_is():
    files = resources.files("reliability_stats.datasets").joinpath("published").iterdir()
    assert {file.name for file in files} == {f"{name}.csv" for name in NAMES}
    for name in NAMES:
        about = rs.datasets.describe(name)
        assert "Published figures" in about.licence
        assert about.url.startswith("https://")
        assert len(rs.datasets.figures(name))


def test_digits_are_kept():
    table = rs.datasets.figures("tau-bench-ladders")
    part = table[(table["system"] == "tool calling (gpt-4o)") & (table["n_tasks"] == 50)]
    assert part["value"].tolist() == ["0.420", "0.273", "0.220", "0.200"]
    assert part["k"].tolist() == [1, 2, 3, 4]


def status(name):
    found = reconstruct(Leaderboard.from_frame(rs.datasets.figures(name)))
    return found, found["status"].value_counts().to_dict()


def test_what_ladders_say_of_themselves():
    found, counts = status("tau-bench-ladders")
    assert counts == {"unique": 5, "none": 4}
    part = found[(found["system"] == "tool calling (gpt-4o)") & (found["n_tasks"] == 50)]
    raw = np.bincount(rs.datasets.load("tau-bench-airline-gpt4o").counts.successes)
    assert part["histogram"].item() == tuple(raw)
    found, counts = status("tau2-bench-ladders")
    assert counts == {"unique": 34, "none": 12}
    assert found["duplicate_of"].notna().sum() == 1


def test_scores_that_are_no_share_of_500_tasks():
    _, counts = status("swe-bench-bash-only")
    assert counts == {"unique": 23, "none": 8}


def test_best_scores_are_not_fractions():
    table = rs.datasets.figures("researchgym-best-scores")
    assert table["value"].max() == 1.072
    # means with what is missing as 0, as published: 76.3, 62.1, 24.0
    means = table["value"].fillna(0).groupby(table["system"], sort=False).mean()
    assert (100 * means).round(1).tolist() == [76.3, 62.1, 24.0]


def test_one_success_of_fifteen():
    counts = rs.datasets.load("researchgym").counts
    assert (counts.n_tasks, counts.n.sum(), counts.successes.sum()) == (5, 15, 1)


def test_unknown_names():
    with pytest.raises(rs.ArgumentError, match="did you mean 'tau-bench-ladders'"):
        rs.datasets.figures("tau-bench-ladder")
    with pytest.raises(rs.ArgumentError, match="kind must be one of"):
        rs.datasets.available("all")
    with pytest.raises(rs.ArgumentError, match="must be one of"):
        rs.datasets.load("tau-bench-ladders")


def test_they_are_those_of_the_whole_table(shared_data):
    path = shared_data / "tau_leaderboards_pass_hat_k.csv"
    if not path.exists():
        pytest.skip("the table of published tau leaderboards is not here")
    whole = pd.read_csv(path)
    mine = rs.datasets.figures("tau2-bench-ladders")
    mine = mine.assign(value=mine["value"].astype(float))
    theirs = whole.assign(benchmark=whole["benchmark"].str.replace("tau2/", "tau2-bench "))
    keys = ["settings", "benchmark", "k"]
    both = mine.merge(theirs.rename(columns={"submission": "settings"}), on=keys)
    assert len(both) == len(mine)
    assert (both["value"] == both["pass_hat_k"]).all()

"""Shared fixtures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
# Tasks of tau-bench airline with 0, 1, 2, 3, 4 successes in 4 trials: the only histograms of 50
# tasks that give the pass^1..4 printed in the README of github.com/sierra-research/tau-bench.
AIRLINE = {"gpt-4o": (14, 12, 10, 4, 10), "gpt-4o ReAct": (26, 4, 7, 5, 8)}


def _polars(columns):
    return pytest.importorskip("polars").DataFrame(columns, strict=False)


FRAMES = {
    "pandas": pd.DataFrame,
    "pandas with another index": lambda c: pd.DataFrame(c).rename(index=lambda i: 9 - i),
    "pandas with a repeated index": lambda c: pd.DataFrame(c).rename(index=lambda _: 7),
    "polars": _polars,
    "polars lazy": lambda columns: _polars(columns).lazy(),
    "pyarrow": lambda columns: pytest.importorskip("pyarrow").table(columns),
    "mapping": dict,
}


@pytest.fixture
def shared_data():
    """Give the folder of public tables, or skip."""
    if not DATA.is_dir():
        pytest.skip("no folder of public data")
    return DATA


@pytest.fixture(params=FRAMES)
def make_frame(request):
    """Give a function that makes a table of lists; the test runs for each kind of table."""
    return FRAMES[request.param]


@pytest.fixture(params=[name for name in FRAMES if "lazy" not in name])
def make_table(request):
    """Give a function that makes a table in memory; the test runs for each kind of table."""
    return FRAMES[request.param]


@pytest.fixture
def airline_histograms():
    """Give the number of tasks with 0 to 4 successes in 4 trials, by system."""
    return AIRLINE


@pytest.fixture
def airline():
    """Give the tau-bench airline counts of two systems; tasks are not the same tasks."""
    wins = [np.repeat(np.arange(5), histogram) for histogram in AIRLINE.values()]
    table = {
        "system": np.repeat(list(AIRLINE), 50),
        "task": [f"{system} {i}" for system in AIRLINE for i in range(50)],
        "n": np.full(100, 4),
        "successes": np.concatenate(wins),
    }
    return rs.Trials.from_counts(table)

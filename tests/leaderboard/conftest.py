"""Tables of published figures."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def reference():
    return json.loads((TESTS / "reference" / "published_figures.json").read_text())


@pytest.fixture
def tau_leaderboards(shared_data):
    path = shared_data / "tau_leaderboards_pass_hat_k.csv"
    if not path.exists():
        pytest.skip("the table of published tau leaderboards is not here")
    table = pd.read_csv(path).rename(columns={"pass_hat_k": "value", "submission": "settings"})
    return table.assign(metric="pass^k")


@pytest.fixture(scope="session")
def ladder():
    """Columns of a ladder of one system: ladder(values, n_tasks, n_trials, ...)."""

    def make(values, n_tasks, n_trials=None, *, metric="pass^k", system="s", **more):
        size = len(values)
        columns = {"system": [system] * size, "benchmark": ["b"] * size, "metric": [metric] * size}
        columns |= {"k": list(range(1, size + 1)), "value": list(values)}
        columns |= {"n_tasks": [n_tasks] * size, "n_trials": [n_trials] * size}
        return columns | {name: [value] * size for name, value in more.items()}

    return make


@pytest.fixture(scope="session")
def printed():
    """Figures of a histogram as they would be printed: printed(histogram, decimals, kind)."""

    def make(histogram, decimals=3, kind="^"):
        n_trials = len(histogram) - 1
        successes = np.repeat(np.arange(n_trials + 1), histogram)
        n = np.full(len(successes), n_trials)
        estimands = rs.PassHatK if kind == "^" else rs.PassAtK
        values = [estimands(k).from_counts(n, successes) for k in range(1, n_trials + 1)]
        return [f"{value:.{decimals}f}" for value in values]

    return make

"""The README's code runs as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import reliability_stats as rs

README = Path(__file__).resolve().parents[1] / "README.md"


def blocks():
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)


def test_first_example():
    names: dict[str, object] = {}
    exec(compile(blocks()[0], str(README), "exec"), names)
    plt.close("all")
    summary = names["post"].summary([rs.PassAtK(4), rs.PassHatK(4)])
    assert (summary["lower"] < summary["upper"]).all()


def test_own_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    rows = pd.DataFrame(
        {"model": "a", "id": [1, 1, 2, 2], "passed": [1, 0, 1, None], "epoch": [1, 2, 1, 2]}
    )
    counts = pd.DataFrame({"model": ["a", "a"], "id": [1, 2], "n": [4, 4], "passed": [1, 4]})
    frame, table, array, read = re.findall(r"^trials = .*$", blocks()[1], re.M)
    names = {"rs": rs, "df": rows, "outcomes": [[1, 0], [1, 1]]}
    exec(frame, names)
    assert names["trials"].n_missing == 1
    names["df"] = counts
    exec(table, names)
    assert names["trials"].n_trials == 8
    exec(array, names)
    assert names["trials"].n_trials == 4
    rows.dropna().rename(columns={"model": "system", "id": "task"}).to_csv(
        "logs/runs.csv", index=False
    )
    exec(read, names)
    assert names["trials"].n_trials == 3


def test_published_figures():
    ladder = [0.42, 0.273, 0.22, 0.2]
    df = pd.DataFrame(
        {
            "system": "gpt-4o",
            "benchmark": "airline",
            "metric": "pass^k",
            "k": [1, 2, 3, 4],
            "value": [f"{value:.3f}" for value in ladder],
            "n_tasks": 50,
            "n_trials": 4,
        }
    )
    names = {"rs": rs, "df": df}
    exec(blocks()[2], names)
    assert list(names["found"]["histogram"]) == [(14, 12, 10, 4, 10)]

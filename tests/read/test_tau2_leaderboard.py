"""Figures of the tau2-bench leaderboard."""

import pandas as pd
import pytest

from reliability_stats.exceptions import ArgumentError, ExclusionWarning, TrialDataError
from reliability_stats.leaderboard import Leaderboard
from reliability_stats.read import read_tau2_leaderboard

# web/leaderboard/public/submissions/claude-opus-4-5_sierra_2026-02-26 of sierra-research/tau2-bench
FOLDER = "claude-opus-4-5_sierra_2026-02-26"
FIGURES = {
    "airline": [84.0, 77.67, 73.5, 70.0],
    "retail": [79.61, 67.4, 58.77, 51.75],
    "telecom": [92.32, 86.11, 81.36, 78.07],
    "banking_knowledge": [24.74, 17.18, 13.66, 11.34],
}
SUBMISSION = {
    "model_name": "Claude Opus 4.5",
    "submitting_organization": "Sierra",
    "submission_date": "2026-02-26",
    "reasoning_effort": "high",
    "methodology": {"tau2_bench_version": "1.0.1", "user_simulator": "gpt-5.2"},
    "results": {
        domain: {f"pass_{k}": value for k, value in enumerate(values, 1)} | {"cost": 0.4}
        for domain, values in FIGURES.items()
    },
}


def test_a_published_submission(write, tmp_path):
    write(f"{FOLDER}/submission.json", SUBMISSION)
    write("A_EXAMPLE_x/submission.json", SUBMISSION)
    with pytest.warns(ExclusionWarning, match="1 examples"):
        table = read_tau2_leaderboard(tmp_path)
    assert len(table) == 16
    assert table["value"].tolist()[:4] == [0.84, 0.7767, 0.735, 0.7]
    assert set(table["settings"]) == {
        "Sierra, on 2026-02-26, version 1.0.1, user gpt-5.2, effort high"
    }
    assert "16 figures of 1 system on 4 benchmarks" in repr(Leaderboard.from_frame(table))


def test_it_agrees_with_the_collected_table(data, write, tmp_path):
    write(f"{FOLDER}/submission.json", SUBMISSION)
    table = read_tau2_leaderboard(tmp_path)
    known = pd.read_csv(data / "tau_leaderboards_pass_hat_k.csv")
    known = known[known["submission"] == FOLDER].set_index(["benchmark", "k"])
    for row in table.itertuples():
        assert known.loc[(row.benchmark, row.k), "pass_hat_k"] == row.value
        assert known.loc[(row.benchmark, row.k), "n_tasks"] == row.n_tasks


def test_unstated_figures_and_unknown_domains(write):
    results = {"airline": {"pass_1": 50.0, "pass_2": None}, "retail": None, "new": {"pass_1": 1}}
    file = write("submission.json", {"model_name": "m", "results": results})
    table = read_tau2_leaderboard(file)
    assert table["k"].tolist() == [1, 1]
    assert table["n_tasks"].isna().tolist() == [False, True]
    assert read_tau2_leaderboard(file, n_tasks={"new": 7})["n_tasks"].tolist() == [50, 7]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the file must be an object"),
        ({"results": {}}, "there is no 'model_name'"),
        ({"model_name": "m", "results": {"airline": {"pass_1": 101}}}, "must be a percentage"),
        ({"model_name": "m", "results": {"airline": {"pass_1": "84"}}}, "must be a number"),
        ({"model_name": "m", "results": {"airline": 3}}, "airline must be an object"),
        ({"model_name": "m", "results": {}}, "No figure"),
    ],
)
def test_broken_submissions(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_tau2_leaderboard(write("submission.json", content))


def test_wrong_sizes(write):
    file = write("submission.json", SUBMISSION)
    with pytest.raises(ArgumentError, match="n_tasks must map domains"):
        read_tau2_leaderboard(file, n_tasks=50)

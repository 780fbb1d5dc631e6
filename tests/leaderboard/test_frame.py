import warnings

import numpy as np
import pandas as pd
import pytest

from reliability_stats import ExclusionWarning, TrialDataError
from reliability_stats.leaderboard import Leaderboard

read = Leaderboard.from_frame


def rows(**columns):
    """A table of one figure or several; single values are repeated."""
    table = {"system": "s", "benchmark": "b", "metric": "pass^k", "value": "0.5"} | columns
    size = (
        max(len(v) for v in table.values() if isinstance(v, list))
        if any(isinstance(v, list) for v in table.values())
        else 1
    )
    return {name: v if isinstance(v, list) else [v] * size for name, v in table.items()}


def decimals(table, **arguments):
    return read(table, **arguments).to_frame()["decimals"].tolist()


def test_one_row_a_figure_as_understood():
    table = rows(k=[1, 2], value=["0.420", "0.273"], n_tasks=50, n_trials=4)
    out = read(table).to_frame()
    assert out["metric"].tolist() == ["pass^k", "pass^k"]
    assert out["k"].tolist() == [1, 2]
    assert out["value"].tolist() == [0.42, 0.273]
    assert out["decimals"].tolist() == [3, 3]
    assert out["n_tasks"].tolist() == [50, 50]
    assert out["n_runs"].isna().all()


def test_any_frame(make_frame_of_figures):
    table = rows(k=[1, 2], value=["0.42", "0.27"], n_tasks=50, n_trials=4)
    expected = read(table).to_frame()
    pd.testing.assert_frame_equal(read(make_frame_of_figures(table)).to_frame(), expected)


@pytest.fixture(params=["pandas", "odd index", "polars", "lazy", "pyarrow"])
def make_frame_of_figures(request):
    def make(columns):
        if request.param == "pandas":
            return pd.DataFrame(columns)
        if request.param == "odd index":
            return pd.DataFrame(columns, index=[7] * len(columns["system"]))
        if request.param == "pyarrow":
            return pytest.importorskip("pyarrow").table(columns)
        frame = pytest.importorskip("polars").DataFrame(columns)
        return frame.lazy() if request.param == "lazy" else frame

    return make


def test_text_keeps_its_own_digits():
    assert decimals(rows(k=[1, 2], value=["0.4", "0.273"])) == [1, 3]


def test_floats_of_a_ladder_share_the_most_digits():
    assert decimals(rows(k=[1, 2, 3], value=[0.42, 0.273, 0.2])) == [3, 3, 3]
    other = rows(system=["a", "a", "c"], k=[1, 2, 1], value=[0.42, 0.273, 0.2])
    assert decimals(other) == [3, 3, 1]
    assert read(rows(k=[1, 2], value=[0.5, 1 / 3])).to_frame()["decimals"].isna().all()


def test_decimals_by_argument_or_column():
    assert decimals(rows(k=[1, 2], value=[0.4, 0.2]), decimals=3) == [3, 3]
    assert decimals(rows(k=[1, 2], value=[0.4, 0.2], decimals=[2, 4])) == [2, 4]
    assert decimals(rows(k=[1, 2], value=[0.4, 0.2], places=[2, 4]), decimals="places") == [2, 4]


def test_decimals_must_not_contradict_the_value():
    with pytest.raises(TrialDataError, match=r"row 1 .*'0\.2734'.*does not have 3 decimals"):
        read(rows(k=[1, 2], value=["0.42", "0.2734"]), decimals=3)


def test_k_in_the_metric():
    table = rows(metric=["pass^1", "pass^4", "pass@2"], value=["0.5", "0.3", "0.6"], settings="T=0")
    assert read(table).to_frame()["k"].tolist() == [1, 2, 4]
    assert read(rows(metric="mean")).to_frame()["k"].tolist() == [1]


def test_mean_pass_hat_1_and_pass_at_1_are_one_figure():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        board = read(
            rows(
                metric=["mean", "pass^1", "pass@1"], value=["0.42", "0.420", "0.4"], settings="T=0"
            )
        )
    assert len(board) == 1
    assert board.to_frame()["decimals"].tolist() == [3]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"k": [1, 2], "value": ["0.5", "42.0"]}, r"row 1 .*'42.0'.*divide values by 100"),
        ({"k": [1, 2], "value": [50, 30]}, r"row 0 .*percentage"),
        ({"k": [1], "value": ["42%"]}, r"row 0 .*percentage"),
        ({"k": [1], "value": ["-0.1"]}, r"row 0 .*from 0 to 1"),
        ({"k": [1, 2], "value": ["0.5", "n/a"]}, r"row 1 .*'n/a'"),
        ({"k": [1, 2], "value": [0.5, float("nan")]}, r"row 1 .*None"),
        ({"k": [1, None]}, r"Row 1 .*has no k"),
        ({"k": [0]}, r"k in row 0 .*at least 1"),
        ({"k": [1.5]}, r"k in row 0 .*1\.5"),
        ({"metric": "pass^2", "k": [3]}, r"Row 0 .*contradicts"),
        ({"metric": "f1"}, r"metric in row 0 .*'f1'.*not known"),
        ({"k": [5], "n_trials": 4}, r"Row 0 .*k=5.*n_trials=4"),
        ({"k": [1], "n_tasks": 0}, r"n_tasks in row 0 .*at least 1"),
        ({"k": [1], "n_tasks": "many"}, r"n_tasks in row 0 .*'many'"),
        ({"k": [1, 2], "n_tasks": [50, 40]}, r"Row 1 .*n_tasks=40.*row 0 .*50"),
        ({"k": [1], "se": -0.1}, r"se in row 0 .*from 0 to 1"),
        ({"k": [1], "se": 0.1, "n_runs": 1}, r"Row 0 .*n_runs=1"),
        ({"k": [1], "system": None}, r"Row 0 .*no system"),
        ({"k": [1, 2], "benchmark": ["b", ""]}, r"Row 1 .*no benchmark"),
    ],
)
def test_first_bad_row_is_named(columns, message):
    with pytest.raises(TrialDataError, match=message):
        read(rows(**columns))


def test_messages_keep_the_case_of_names():
    with pytest.raises(TrialDataError, match="system 'GPT-5, <mini>'"):
        read(rows(system="GPT-5, <mini>", k=[5], n_trials=4))


def test_missing_column_and_empty_table():
    with pytest.raises(TrialDataError, match=r"no column 'value' for value.*value=\.\.\."):
        read({"system": ["s"], "benchmark": ["b"], "metric": ["mean"]})
    with pytest.raises(TrialDataError, match="no column 'places' for decimals"):
        read(rows(k=[1]), decimals="places")
    with pytest.raises(TrialDataError, match="no rows"):
        read(pd.DataFrame({"system": [], "benchmark": [], "metric": [], "value": []}))
    with pytest.raises(TrialDataError, match="must be a data frame"):
        read([1, 2])


def test_columns_can_have_other_names():
    table = {"model": ["s"], "suite": ["b"], "what": ["pass^1"], "score": ["0.5"], "N": [50]}
    board = read(
        table, system="model", benchmark="suite", metric="what", value="score", n_tasks="N"
    )
    assert board.to_frame()["n_tasks"].tolist() == [50]


def test_contradicting_figures_are_refused():
    with pytest.raises(TrialDataError, match=r"Row 2 .*pass\^1 = 0\.52, but row 0 gives 0\.50"):
        read(rows(k=[1, 2, 1], value=["0.50", "0.40", "0.52"]))
    board = read(rows(k=[1, 2, 1], value=["0.50", "0.40", "0.52"], settings=["a", "a", "b"]))
    assert [group.settings for group in board.groups] == ["a", "b"]


def test_copies_are_left_out_with_a_warning():
    with pytest.warns(ExclusionWarning, match="1 row of 3 left out"):
        board = read(rows(k=[1, 2, 1], value=["0.5", "0.4", "0.50"]))
    assert (len(board), board.n_copies) == (2, 1)
    assert board.to_frame()["decimals"].tolist() == [2, 1]  # the more exact one is kept
    assert "1 repeated row left out" in repr(board)


def test_pass_at_k_needs_equal_settings():
    with pytest.raises(TrialDataError, match=r"Pass@10 in row 1 .*row 0.*undeclared settings"):
        read(rows(metric="pass@k", k=[1, 10], value=["0.3", "0.5"]))
    with pytest.raises(TrialDataError, match=r"Pass@10 in row 1 .*different settings"):
        read(rows(metric="pass@k", k=[1, 10], value=["0.3", "0.5"], settings=["T=.2", "T=.8"]))
    with pytest.raises(TrialDataError, match="different settings"):
        read(rows(metric="pass@k", k=[1, 10], value=["0.3", "0.5"], settings=["T=.2", None]))


@pytest.mark.parametrize(
    "columns",
    [
        {"metric": "pass@k", "k": [1, 10], "settings": "T=.8"},
        {"metric": "pass@k", "k": [1, 10, 1], "settings": ["T=.8", "T=.8", "T=.2"]},
        {"metric": "pass@k", "k": [1, 10], "system": ["cold", "hot"]},
        {"metric": "pass@k", "k": [10]},
        {"metric": "pass^k", "k": [1, 2, 3, 4]},
    ],
)
def test_other_figures_need_no_settings(columns):
    values = [f"0.{5 + i}" for i in range(len(columns["k"]))]
    assert len(read(rows(value=values, **columns))) == len(values)


def test_repr_is_safe_and_short():
    board = read(rows(system="<b>&", k=[1, 2], value=["0.5", "0.4"]))
    assert repr(board) == "Leaderboard: 2 figures of 1 system on 1 benchmark"
    assert "&lt;b&gt;&amp;" in board._repr_html_()
    assert "<b>&" not in board._repr_html_()


def test_numbers_may_be_text_or_floats():
    table = rows(k=["1", "2"], value=["0.5", "0.4"], n_tasks=[50.0, np.nan], n_trials="4")
    assert read(table).groups[0].n_tasks == 50

"""Tables that stay in their engine: the same counts, and rows only on request."""

import copy
import datetime as dt
import pickle
import shutil
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reliability_stats as rs
from reliability_stats import TrialDataError, Trials
from reliability_stats._lazy import LazyRows

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="session")
def spark():
    """Give a Spark session on this machine, or skip."""
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield session
    session.stop()


def arrow(columns):
    return pytest.importorskip("pyarrow").table(columns)


def in_polars(columns, _):
    return pytest.importorskip("polars").DataFrame(columns, strict=False).lazy()


def in_duckdb(columns, _):
    return pytest.importorskip("duckdb").from_arrow(arrow(columns))


def in_dask(columns, _):
    frame = pytest.importorskip("dask.dataframe")
    return frame.from_pandas(pd.DataFrame(columns), npartitions=2)


def in_ibis(columns, _):
    pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow_hotfix")
    return pytest.importorskip("ibis").memtable(arrow(columns))


def in_spark(columns, request):
    return request.getfixturevalue("spark").createDataFrame(arrow(columns))


ENGINES = {
    "polars": in_polars,
    "duckdb": in_duckdb,
    "dask": in_dask,
    "ibis": in_ibis,
    "spark": in_spark,
}


SLOW = {"spark"}


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in ENGINES]
)
def lazy(request):
    """Give a function that puts columns into an engine; the test runs for each engine."""
    return lambda columns: ENGINES[request.param](columns, request)


@pytest.fixture(params=("polars", "duckdb"))
def quick(request):
    """Give the same for the engines that answer at once."""
    return lambda columns: ENGINES[request.param](columns, request)


ROWS = {
    "model": ["b", "a", "a", "a", "b", "b"],
    "item": ["t10", "t9", "t10", "t9", "t10", "t9"],
    "ok": [1.0, None, 0.0, 1.0, 0.0, 1.0],
    "run": [1, 1, 0, 0, 0, 7],
    "prompt": ["p", "p", "q", "p", "p", "q"],
    "start": [dt.datetime(2025, 1, day, tzinfo=dt.UTC) for day in (9, 8, 7, 6, 5, 4)],
    "family": ["x", "y", "x", "y", "x", "y"],
    "minutes": [1.5, None, 2.0, 1.0, 1.5, 3.0],
    "what": ["ok", "infra_error", None, "ok", "agent_failure", "ok"],
}
ROLES = {"system": "model", "task": "item", "success": "ok"}
ALL = ROLES | {
    "trial": "run",
    "condition": "prompt",
    "time": "start",
    "group": "family",
    "length": "minutes",
    "status": "what",
}


def table(success=(1, 0, 1, 1), **more):
    return {"system": list("aaab"), "task": [1, 1, 2, 1], "success": list(success), **more}


def test_counts_and_accounts_are_those_of_a_table_in_memory(lazy):
    frame = lazy(ROWS)
    for roles in (ALL, ROLES | {"system": None, "condition": ["prompt", "family"]}):
        here = Trials.from_frame(pd.DataFrame(ROWS), missing="drop", **roles)
        there = Trials.from_frame(frame, missing="drop", **roles)
        assert there.counts == here.counts
        assert there.fingerprint == here.fingerprint
        assert there.columns == here.columns
        assert repr(there) == repr(here)
        pd.testing.assert_frame_equal(there.report(), here.report())
        assert isinstance(there._rows, LazyRows)


def test_rows_come_on_request_and_only_those_selected(lazy):
    frame = lazy(ROWS)
    here = Trials.from_frame(pd.DataFrame(ROWS), missing="failure", **ALL)
    there = Trials.from_frame(frame, missing="failure", **ALL)
    compare_rows(here, there)
    compare_rows(
        here.select(tasks="t9", conditions="p"), there.select(tasks="t9").select(conditions="p")
    )


def compare_rows(here, there):
    """Compare the values of rows; engines differ in the types of columns that they only keep."""
    here, there = here.to_frame(), there.to_frame()
    assert there.columns.tolist() == here.columns.tolist()
    for name in here.columns:
        one, other = (
            [None if pd.isna(value) else value for value in frame[name]] for frame in (here, there)
        )
        assert one == other, name


def test_several_conditions_are_selected_together(quick):
    roles = ROLES | {"condition": ["prompt", "family"]}
    there = Trials.from_frame(quick(ROWS), missing="failure", **roles)
    here = Trials.from_frame(ROWS, missing="failure", **roles)
    assert there.counts.conditions == ("p / x", "p / y", "q / x", "q / y")
    chosen = ["p / x", "q / y"]
    compare_rows(here.select(conditions=chosen), there.select(conditions=chosen))


@pytest.mark.parametrize(
    "success",
    [
        [True, False, True, True],
        [True, None, True, True],
        [1, 0, 1, 1],
        [1, None, 1, 1],
        [1 - 1e-6, 1e-6, 1 + 1e-6, 1.0],
        [1.0, float("nan"), 0.0, None],
        np.array([1, 0, 1, 1], np.uint8),
        np.array([1, 0, 1, 1], np.float32),
    ],
    ids=str,
)
def test_what_may_be_a_success(quick, success):
    columns = table() | {"success": success}
    here = Trials.from_frame(columns, missing="failure")
    there = Trials.from_frame(quick(columns), missing="failure")
    assert there == here
    assert there.n_missing == here.n_missing


def test_decimals_in_an_engine(quick):
    success = [Decimal("1.0"), Decimal("0.0"), None, Decimal("1.0")]
    there = Trials.from_frame(quick(table(success)), missing="drop")
    assert there.counts.successes.tolist() == [1, 1]


@pytest.mark.parametrize(
    "task",
    [
        [1.0, 1.0, 2.0, 1.0],
        [True, True, False, True],
        ["é", "a,b", "<b>&", ""],
        [dt.date(2020, 1, 1)] * 3 + [dt.date(2021, 1, 1)],
        [dt.datetime(2020, 1, 1, 5, 0, 1)] * 4,
        [b"x", b"y", b"x", b"y"],
    ],
    ids=str,
)
def test_labels(quick, task):
    columns = table() | {"task": task}
    there = Trials.from_frame(quick(columns))
    assert there == Trials.from_frame(columns)
    some = there.tasks[0]
    assert len(there.select(tasks=some).to_frame()) == there.select(tasks=some).n_trials


def test_categories_in_polars():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(table()).lazy()
    frame = frame.with_columns(
        pl.col("system").cast(pl.Enum(["b", "a"])),
        pl.col("task").cast(pl.String).cast(pl.Categorical),
    )
    trials = Trials.from_frame(frame)
    assert trials == Trials.from_frame(table())
    assert trials.select(systems="a", tasks=1).to_frame()["success"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("columns", "more", "message"),
    [
        (
            table([1.0, 0.0, 0.5, 1.0]),
            {},
            r"in a row of system 'a', task '2' is 0\.5\. Allowed are True/False",
        ),
        (table([1.0, 0.0, 1.0, 7.0]), {}, r"system 'b', task '1' is 7\.0\. Allowed"),
        (table([0, 2, 3, 1]), {}, r"task '[12]' is [23], and 1 more is not allowed\."),
        (table(["no", None, "no", None]), {}, r"is 'no', and 1 more is not allowed"),
        (table() | {"system": ["x", "x", "y", None]}, {}, "1 row of 4 has no system. Every row"),
        (table() | {"task": [1.0, None, None, 2.0]}, {}, "2 rows of 4 have no task"),
        (table(c=["x", None, "x", "x"]), {"condition": "c"}, "1 row of 4 has no condition"),
        (table(trial=[0, None, 1, 2]), {"trial": "trial"}, "1 row of 4 has no trial"),
        (
            table(s=["ok", "infra-error", None, "ok"]),
            {"status": "s"},
            (
                r"The status in a row of system 'a', task '1' is 'infra-error' \(did you mean "
                r"'infra_error'\?\)\. Allowed are ok, "
            ),
        ),
        (table(s=[None, 5, None, None]), {"status": "s"}, r"status .* is 5(\.0)?\."),
        (
            table([1, None, None, 1]),
            {},
            r"2 outcomes of 4 are missing, one in a row of system 'a', task '[12]'\. Say what",
        ),
        (
            table(s=["ok", "infra_error", None, "ok"]),
            {"status": "s"},
            r"1 outcome of 4 is missing, .* task '1' with status 'infra_error'\. Say",
        ),
        (
            table(trial=[3, 3, 0, 0]),
            {"trial": "trial"},
            (
                r"2 rows are all system 'a', task '1', trial '3', with 1 row of 4 repeating "
                r"another one\. Remove the copies"
            ),
        ),
        (
            table() | {"system": [], "task": [], "success": []},
            {},
            "table has no rows; at least one trial",
        ),
    ],
    ids=str,
)
def test_what_is_refused_and_shown(quick, columns, more, message):
    with pytest.raises(TrialDataError, match=message):
        Trials.from_frame(quick(columns), **more)


def test_refusals_in_every_engine(lazy):
    for columns, message in (
        (table([1.0, 0.0, 0.5, 1.0]), r"row of system 'a', task '2' is 0\.5\. Allowed"),
        (table([1.0, 0.0, None, 1.0]), "1 outcome of 4 is missing, one in a row of system 'a'"),
        (table(["no", "yes", "no", "x"]), "system '[ab]', task '[12]' is '(no|yes|x)', and 3 more"),
        (table() | {"system": ["x", "x", "y", None]}, "1 row of 4 has no system"),
    ):
        with pytest.raises(TrialDataError, match=message):
            Trials.from_frame(lazy(columns))
    repeats = lazy(table(trial=[3, 3, 0, 0]))
    with pytest.raises(TrialDataError, match="2 rows are all system 'a', task '1', trial '3'"):
        Trials.from_frame(repeats, trial="trial")
    status = lazy(table(s=["ok", "OK", None, "ok"]))
    with pytest.raises(TrialDataError, match="The status in a row of system 'a', task '1' is 'OK'"):
        Trials.from_frame(status, status="s")
    with pytest.raises(TrialDataError, match=r"no column 'tsk' for task \(did you mean 'task'"):
        Trials.from_frame(status, task="tsk")


def test_repeats_without_an_outcome_and_across_conditions(quick):
    columns = table([1, None, 1, 1], trial=[0] * 4, c=["x", "y", "x", "x"])
    with pytest.raises(TrialDataError, match="1 row of 4 repeating"):
        Trials.from_frame(quick(columns), trial="trial", missing="drop")
    trials = Trials.from_frame(quick(columns), trial="trial", condition="c", missing="failure")
    assert trials.n_trials == 4


def test_nested_labels_are_refused_and_objects_are_read_in_memory():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(table()).lazy()
    with pytest.raises(TrialDataError, match=r"The task in a row is .*1.*; it must be text"):
        Trials.from_frame(frame.with_columns(pl.concat_list("task")))
    mixed = frame.with_columns(pl.Series("success", [True, 0, 1.0, 1], dtype=pl.Object))
    trials = Trials.from_frame(mixed)
    assert trials == Trials.from_frame(table())
    assert not isinstance(trials._rows, LazyRows)


def test_counts_in_an_engine(lazy):
    columns = {"system": ["b", "a"], "task": [1, 1], "n": [4, 5], "successes": [0, 5]}
    assert Trials.from_counts(lazy(columns)) == Trials.from_counts(columns)


def test_lost_systems_are_told_at_the_call(quick):
    columns = {"system": ["a", "b"], "task": [1, 1], "success": [1, None]}
    with pytest.warns(rs.ExclusionWarning, match="counted: b") as record:
        trials = Trials.from_frame(quick(columns), missing="bounds")
    assert record[0].filename == __file__
    assert trials.complete("failure").systems == ("a", "b")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_copies_keep_their_rows(lazy, again):
    trials = Trials.from_frame(lazy(ROWS), missing="failure", **ALL)
    other = again(trials.select(systems="a"))
    assert other == trials.select(systems="a")
    compare_rows(other, trials.select(systems="a"))


def test_pickles_keep_counts_and_what_rows_can_travel(lazy):
    trials = Trials.from_frame(lazy(ROWS), missing="failure", **ALL)
    polars = trials._rows.frame.implementation.is_polars()
    other = pickle.loads(pickle.dumps(trials))
    assert other == trials
    assert other.select(systems="a").counts == trials.select(systems="a").counts
    assert other.report().equals(trials.report())
    if polars:
        compare_rows(other, trials)
    else:
        with pytest.raises(TrialDataError, match="left behind when they were pickled"):
            other.to_frame()


def test_a_table_that_changed_gives_no_rows(tmp_path):
    pl = pytest.importorskip("polars")
    file = tmp_path / "runs.parquet"
    pl.DataFrame(table()).write_parquet(file)
    trials = Trials.from_frame(pl.scan_parquet(file))
    assert len(trials.to_frame()) == 4
    pl.DataFrame(table([0, 0, 0, 0])).write_parquet(file)
    with pytest.raises(TrialDataError, match="4 rows with 0 successes now, 4 with 3 then"):
        trials.to_frame()


def test_failures_of_the_engine_are_ours(tmp_path):
    pl = pytest.importorskip("polars")
    file = tmp_path / "runs.parquet"
    pl.DataFrame(table()).write_parquet(file)
    frame = pl.scan_parquet(file).with_columns(pl.col("task").cast(pl.String))
    frame.collect_schema()
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(TrialDataError, match="The table could not be read"):
        Trials.from_frame(frame)


LABELS = st.sampled_from(["a", "b", "é", "a,b", "<i>", "", "t1", "t10", "t9", "1", " "])
STATUS = st.sampled_from([None, "ok", "agent_failure", "infra_error", "grader_error", "missing"])
RECORDS = st.lists(
    st.tuples(LABELS, LABELS, st.sampled_from([1.0, 0.0, None]), STATUS), min_size=1, max_size=30
)


@given(RECORDS, st.sampled_from(["polars", "duckdb"]))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_any_table_is_counted_alike(records, engine):
    pa = pytest.importorskip("pyarrow")
    names = ("system", "task", "success", "status")
    types = (pa.string(), pa.string(), pa.float64(), pa.string())
    columns = {
        name: pa.array(list(values), type=kind)
        for name, values, kind in zip(names, zip(*records, strict=True), types, strict=True)
    }
    whole = pa.table(columns)
    if engine == "polars":
        frame = pytest.importorskip("polars").from_arrow(whole).lazy()
    else:
        frame = pytest.importorskip("duckdb").from_arrow(whole)
    here = Trials.from_frame(whole, status="status", missing="failure")
    there = Trials.from_frame(frame, status="status", missing="failure")
    assert there == here
    assert there.report().equals(here.report())
    assert there.to_frame()["success"].sum() == here.to_frame()["success"].sum()

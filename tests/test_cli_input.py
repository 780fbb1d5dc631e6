"""Reading tables for the command line."""

import bz2
import gzip
import io
import lzma
import sys
import types

import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats import _cli_input
from reliability_stats.read import read_table

ROWS = """\
system,task,trial,success
a,t1,0,1
a,t1,1,0
a,t2,0,1
a,t2,1,1
b,t1,0,0
b,t1,1,0
b,t2,0,1
b,t2,1,0
"""
SAME = rs.Trials.from_frame(pd.read_csv(io.StringIO(ROWS)))


@pytest.fixture
def load(tmp_path):
    """Write a table and load it."""

    def call(content, name="runs.csv", *, kind=None, missing=None, **given):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return _cli_input.load(str(path), kind=kind, given=given, missing=missing)

    return call


def test_rows_and_their_columns(load):
    loaded = load(ROWS)
    assert loaded.trials == SAME
    assert loaded.kind == "one row a trial"
    assert loaded.roles == {r: r for r in ("system", "task", "success", "trial")}
    assert loaded.unused == ()


def test_counts_are_recognised(load):
    loaded = load("system,task,n,successes,note\na,t1,2,1,x\na,t2,2,2,\nb,t1,2,0,\nb,t2,2,1,\n")
    assert loaded.trials == SAME
    assert loaded.kind == "one row a cell"
    assert loaded.unused == ("note",)


def test_columns_can_be_named(load):
    text = ROWS.replace("system,task,trial,success", "model,id,seed,ok")
    assert load(text, system="model", task="id", success="ok", trial="seed").trials == SAME
    text = "model,id,runs,good\na,t1,2,1\na,t2,2,2\nb,t1,2,0\nb,t2,2,1\n"
    assert load(text, system="model", task="id", n="runs", successes="good").trials == SAME


def test_rows_can_be_preferred_to_counts(load):
    text = "system,task,success,n,successes\na,1,1,5,2\na,2,0,5,1\n"
    assert load(text, success="success").trials.n_trials == 2
    assert load(text, n="n").trials.n_trials == 10


def test_an_empty_name_says_that_there_is_no_column(load):
    loaded = load("task,trial,success\n1,0,1\n1,0,0\n2,0,1\n", system="", trial="")
    assert loaded.trials.systems == ("system",)
    assert loaded.unused == ("trial",)


def test_conditions_are_found_and_can_be_several(load):
    text = "system,task,condition,temp,success\n" + "".join(
        f"a,{t},{c},{h},{(t + h) % 2}\n" for t in (1, 2) for c in "xy" for h in (0, 1)
    )
    assert load(text).trials.counts.conditions == ("x", "y")
    both = load(text, condition=["condition", "temp"])
    assert both.trials.counts.conditions == ("x / 0", "x / 1", "y / 0", "y / 1")
    assert both.roles["condition"] == ["condition", "temp"]
    assert load(text, condition=[""]).trials.counts.conditions == ()


def test_a_column_named_for_one_role_is_not_taken_for_another(load):
    loaded = load(ROWS, task="trial")
    assert "trial" not in loaded.roles
    assert loaded.unused == ("task",)


def test_status_is_used_if_its_words_are_known_or_it_is_named(load):
    text = "system,task,success,status\na,1,1,ok\na,1,0,infra_error\na,2,0,ok\na,2,1,\n"
    assert load(text, missing="drop").trials.n_trials == 3
    assert load(text, status="").trials.n_trials == 4
    other = load(text.replace("infra_error", "HTTP 500"))
    assert other.trials.n_trials == 4
    assert other.unused == ("status",)
    with pytest.raises(rs.TrialDataError, match="HTTP 500"):
        load(text.replace("infra_error", "HTTP 500"), status="status")


def test_common_names_are_found(load):
    text = ROWS.replace("system,task,trial,success", "Model,task_id,attempt,is_correct")
    loaded = load(text)
    assert loaded.trials == SAME
    assert loaded.roles["trial"] == "attempt"
    text = "agent,item,total,passes\na,t1,2,1\na,t2,2,2\nb,t1,2,0\nb,t2,2,1\n"
    assert load(text).trials == SAME


def test_the_plain_name_comes_before_common_ones(load):
    text = ROWS.replace("\n", ",x\n").replace("success,x", "success,model")
    loaded = load(text)
    assert loaded.trials == SAME
    assert loaded.unused == ("model",)


@pytest.mark.parametrize("text", [ROWS, ROWS.replace("t1", "007"), ROWS.replace("1\n", "true\n")])
def test_the_same_trials_as_the_reader_of_tables(load, tmp_path, text):
    trials = load(text).trials
    assert trials == read_table(tmp_path / "runs.csv")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("True,False,true,FALSE", [1, 0, 1, 0]),
        ("1,0,1.0,0.0", [1, 0, 1, 0]),
        (" 1, 0,1 ,1e0", [1, 0, 1, 1]),
        ("pass,Failed,yes,no", [1, 0, 1, 0]),
    ],
)
def test_ways_to_write_outcomes(load, words, expected):
    body = "".join(f"a,{i},{w}\n" for i, w in enumerate(words.split(",")))
    counts = load("system,task,success\n" + body).trials.counts
    assert counts.successes.tolist() == expected


@pytest.mark.parametrize("word", ["", "NA", "n/a", "nan", "NULL", "None", "<NA>", " "])
def test_ways_to_write_missing_outcomes(load, word):
    text = f"system,task,success\na,1,1\na,1,{word}\n"
    with pytest.raises(rs.TrialDataError, match="1 outcome of 2 is missing, first in row 1"):
        load(text)
    assert load(text, missing="drop").trials.n_trials == 1
    trials = load(text, missing="failure").trials
    assert (trials.n_trials, trials.n_missing) == (2, 1)


def test_labels_stay_text(load):
    trials = load("system,task,success\nNA,001,1\nNA,1,0\nNA,1e3,1\nNA,None,1\n").trials
    assert trials.systems == ("NA",)
    assert set(trials.tasks) == {"001", "1", "1e3", "None"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("r.csv.gz", gzip.compress(ROWS.encode(), mtime=0), id="gz"),
        pytest.param("r.csv.bz2", bz2.compress(ROWS.encode()), id="bz2"),
        pytest.param("r.CSV.XZ", lzma.compress(ROWS.encode()), id="xz"),
        pytest.param("r.tsv", ROWS.replace(",", "\t"), id="tsv"),
        pytest.param("r.txt", ROWS.replace(",", "\t"), id="tabs"),
        pytest.param("r.csv", ROWS.replace(",", ";"), id="semicolons"),
        pytest.param("r.csv", b"\xef\xbb\xbf" + ROWS.encode(), id="byte order mark"),
        pytest.param("r.csv", ROWS.replace("\n", "\r\n"), id="windows"),
        pytest.param("r.csv", ROWS.replace("\n", "\r"), id="old mac"),
        pytest.param("r.csv", ROWS.replace("\n", "\n\n"), id="blank lines"),
        pytest.param("r.csv", ROWS.removesuffix("\n"), id="no last newline"),
        pytest.param("r.csv", ROWS.replace("system,task", " system , task"), id="blanks"),
        pytest.param("my.runs.csv", ROWS, id="dots"),
    ],
)
def test_text_formats_give_the_same_trials(load, name, content):
    assert load(content, name).trials == SAME


def test_index_column_of_pandas_is_unused(load):
    text = pd.read_csv(io.StringIO(ROWS)).to_csv()
    loaded = load(text)
    assert loaded.trials == SAME
    assert loaded.unused == ("",)


def test_quoted_fields_and_unicode(load):
    text = 'system,task,success\n"a, ""b""","line\nbreak é",1\n"a, ""b""","line\nbreak é",0\n'
    trials = load(text).trials
    assert (trials.systems, trials.tasks) == (('a, "b"',), ("line\nbreak é",))


def test_very_long_fields(load):
    assert load(f"system,task,success,log\na,1,1,{'x' * 200_000}\na,1,0,\n").trials.n_trials == 2


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(ROWS.encode())))
    assert _cli_input.load("-", kind=None, given={}, missing=None).trials == SAME
    pytest.importorskip("pyarrow")
    with pytest.raises(rs.TrialDataError, match="cannot be read from standard input"):
        _cli_input.load("-", kind="parquet", given={}, missing=None)


def test_format_overrides_the_name(load):
    with pytest.raises(rs.TrialDataError, match="the format is not clear from the name"):
        load(ROWS, "runs.data")
    assert load(ROWS.replace(",", "\t"), "runs.data", kind="tsv").trials == SAME


@pytest.mark.parametrize("kind", ["plain", "category", "integers", "booleans", "nullable"])
def test_parquet(load, tmp_path, kind):
    pytest.importorskip("pyarrow")
    frame = pd.read_csv(io.StringIO(ROWS)).assign(extra=0.5)
    if kind == "category":
        frame["system"] = frame["system"].astype("category")
    if kind == "integers":
        frame["task"] = frame["task"].str[1:].astype(int)
    if kind == "booleans":
        frame["success"] = frame["success"].astype(bool)
    if kind == "nullable":
        frame["success"] = frame["success"].astype("Int64")
    frame.to_parquet(tmp_path / "frame.parquet")
    loaded = load((tmp_path / "frame.parquet").read_bytes(), "runs.parquet")
    assert loaded.trials == rs.Trials.from_frame(frame)
    assert loaded.unused == ("extra",)


def test_parquet_counts(load, tmp_path):
    pytest.importorskip("pyarrow")
    trials = rs.datasets.load("rat-tumors")
    trials.counts.to_frame().to_parquet(tmp_path / "rats.parquet")
    assert load((tmp_path / "rats.parquet").read_bytes(), "rats.pq").trials == trials


def test_parquet_without_pyarrow_names_the_extra(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(rs.TrialDataError, match=r"pip install 'reliability-stats\[parquet\]'"):
        load("x", "runs.parquet")


def test_broken_parquet(load):
    pytest.importorskip("pyarrow")
    with pytest.raises(rs.TrialDataError, match=r"runs\.parquet: cannot be read: "):
        load("PAR1 but not really", "runs.parquet")


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "r.csv", "the file is empty"),
        ("\n\n", "r.csv", "the file is empty"),
        ("system,task,success\n", "r.csv", "The table has no rows"),
        ("system,task,success\na,1\n", "r.csv", "line 2 has 2 fields, the header 3"),
        ("system,task,success\na,1,1\n\na,x, y,1\n", "r.csv", "line 4 has 4 fields, the header 3"),
        ('system,task,success\na,"1,1\n', "r.csv", "cannot be read"),
        ('system,task,success\na,"1"x,1\n', "r.csv", "cannot be read"),
        (b"system,task,success\n\xff\xfe,1,1\n", "r.csv", "it is not UTF-8 text"),
        (b"not gzip", "r.csv.gz", "r.csv.gz: cannot be read: not a gzipped file"),
        (gzip.compress(ROWS.encode(), mtime=0)[:-12], "r.csv.gz", "cannot be read"),
        (b"not xz", "r.csv.xz", "cannot be read"),
        (b"not bz2", "r.csv.bz2", "cannot be read"),
        ("x", "r.xlsx", "the format is not clear from the name"),
        ("x", "r.gz", "the format is not clear from the name"),
        ("x", "r", "the format is not clear from the name"),
        ("system,task,success\na,,1\n", "r.csv", "Row 0 (counting from 0) has no task"),
        ("system,task,success\n ,1,1\n", "r.csv", "Row 0 (counting from 0) has no system"),
        ("system,task,success\na,1,maybe\n", "r.csv", "is 'maybe'"),
        ("system,task,success\na,1,inf\n", "r.csv", "The success value in row 0"),
        ("system,task,n,successes\na,1,2,3\n", "r.csv", "3 of 2"),
        ("system,task,n,successes\na,1,2.5,1\n", "r.csv", "n in row 0"),
        ("system,task,n,successes\na,1,2,\n", "r.csv", "successes in row 0"),
        ("system,task,task,success\na,1,2,1\n", "r.csv", "There are 2 columns 'task'"),
        ("system,task,success,n,successes\na,1,1,1,1\n", "r.csv", "'n' may be a number of trials"),
        ("system,task,n,passed\na,1,4,3\n", "r.csv", "or --n n --successes passed if each row"),
    ],
    ids=range(25),
)
def test_tables_that_cannot_be_used(load, content, name, message):
    with pytest.raises(rs.TrialDataError) as error:
        load(content, name)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("header", "given", "message"),
    [
        ("sistem,task,success", {}, "(did you mean 'sistem'?)"),
        ("name,task,success", {}, "If all rows belong to one system, say --system ''."),
        ("model,agent,success", {}, "Several columns may be the system: 'model', 'agent'."),
        ("system,task_id,item,success", {}, "Name one with --task COLUMN."),
        ("system,task,passed,run,epoch", {}, "--trial COLUMN, or say --trial '' for none"),
        ("system,task,reward", {}, "needs --n COLUMN --successes COLUMN"),
        ("system,task,success", {"task": "tsk"}, "There is no column 'tsk' for task"),
        ("system,task,success", {"task": "tsk"}, "'system', 'task', 'success'"),
        ("system,task,success", {"task": ""}, "--task needs the name of a column"),
        ("system,task,success", {"condition": ["temp"]}, "no column 'temp' for condition"),
        ("system,task,success", {"n": "n"}, "There is no column 'n' for n"),
        ("system,task,success", {"task": "system"}, "is given both for system and for task"),
    ],
)
def test_columns_that_are_not_there(load, header, given, message):
    with pytest.raises(rs.TrialDataError) as error:
        load(f"{header}\n{','.join('1' * len(header.split(',')))}\n", **given)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "missing", "given", "option"),
    [
        ("system,task,n,successes\na,1,2,1\n", "drop", {}, "--missing"),
        ("system,task,n,successes\na,1,2,1\n", None, {"trial": "task"}, "--trial"),
        (ROWS, None, {"n": "trial", "success": "success"}, "--success"),
    ],
)
def test_options_for_the_other_kind_of_table(load, text, missing, given, option):
    with pytest.raises(
        _cli_input.ShapeError, match=f"{option} does not go with a table of one row"
    ):
        load(text, missing=missing, **given)


def test_files_that_cannot_be_opened(tmp_path, monkeypatch):
    for name in ("none.csv", "none.parquet", "folder.csv"):
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        with pytest.raises(rs.TrialDataError, match=f"{name}: cannot be read: "):
            _cli_input.load(str(tmp_path / name), kind=None, given={}, missing=None)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "secret.csv")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(rs.TrialDataError, match=r"secret\.csv: cannot be read: permission"):
        _cli_input.load("secret.csv", kind=None, given={}, missing=None)

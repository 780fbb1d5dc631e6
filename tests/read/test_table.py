"""Tables and JSON Lines."""

import gzip

import numpy as np
import pandas as pd
import pytest

from reliability_stats.exceptions import ArgumentError, ExclusionWarning, TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.table import read_jsonl, read_table

ROWS = "model,task_id,epoch,passed\na,t1,1,1\na,t1,2,0\na,t2,1,true\nb,t1,1,fail\n"


def cells(trials):
    frame = trials.counts.to_frame()
    keys = [c for c in ("system", "condition", "task") if c in frame]
    return {
        tuple(row[k] for k in keys): (row["n"], row["successes"]) for _, row in frame.iterrows()
    }


def test_common_names_are_found_and_told(write):
    trials = read_table(write("runs.csv", ROWS))
    assert cells(trials) == {("a", "t1"): (2, 1), ("a", "t2"): (1, 1), ("b", "t1"): (1, 0)}
    report = read_report(trials)
    assert report.kept == {("ok", "failure"): 2, ("ok", "success"): 2}
    assert "system from 'model' (guessed)" in report.choices[0]
    assert "trial from 'epoch' (guessed)" in report.choices[0]


def test_named_columns_threshold_and_roles(write):
    text = "who,what,points,when,minutes,variant,kind\n"
    text += "a,t1,0.8,2026-01-01T00:00:00Z,5,base,x\na,t1,0.2,1767225600,,base,x\n"
    file = write("runs.csv", text)
    columns = {"system": "who", "task": "what", "success": "points", "time": "when"}
    columns |= {"length": "minutes", "group": "kind"}
    trials = read_table(file, columns=columns, threshold=0.8)
    assert cells(trials) == {("a", "base", "t1"): (2, 1)}
    frame = trials.to_frame()
    assert frame["score"].tolist() == [0.8, 0.2]
    assert frame["length"].isna().tolist() == [False, True]
    assert frame["time"].nunique() == 1
    assert frame["group"].tolist() == ["x", "x"]


def test_several_columns_of_a_role_are_joined(write):
    file = write("runs.csv", "model,effort,task,success\na,low,1,1\na,high,1,0\n")
    trials = read_table(file, columns={"system": ["model", "effort"]})
    assert trials.systems == ("a / high", "a / low")


def test_two_candidates_for_a_role_are_refused(write):
    file = write("runs.csv", "model,task,task_id,success\na,gsm8k,1,1\n")
    with pytest.raises(TrialDataError, match=r"Several columns may be the task: task, task_id"):
        read_table(file)
    assert read_table(file, columns={"task": ["task", "task_id"]}).tasks == ("gsm8k / 1",)


def test_a_table_without_systems_needs_a_word(write):
    file = write("runs.csv", "task,success\n1,1\n")
    with pytest.raises(TrialDataError, match=r"columns={'system': None}"):
        read_table(file)
    assert read_table(file, columns={"system": None}).systems == ("system",)


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"sistem": "model"}, ArgumentError, "did you mean 'system'"),
        ({"system": "modle"}, TrialDataError, "did you mean 'model'"),
        (["model"], ArgumentError, "must map roles"),
    ],
)
def test_wrong_columns(write, columns, error, message):
    with pytest.raises(error, match=message):
        read_table(write("runs.csv", ROWS), columns=columns)


def test_repeated_keys(write):
    file = write("runs.csv", ROWS + "a,t1,1,0\n")
    with pytest.raises(TrialDataError, match=r"1 record of 5 repeat .*line 2 and .*line 6"):
        read_table(file)
    assert cells(read_table(file, on_duplicate="first"))["a", "t1"] == (2, 1)
    last = read_table(file, on_duplicate="last")
    assert cells(last)["a", "t1"] == (2, 0)
    assert read_report(last).left_out == {"duplicate": 1}
    assert cells(read_table(file, on_duplicate="renumber"))["a", "t1"] == (3, 1)


def test_without_a_trial_column_every_row_is_a_trial(write):
    trials = read_table(write("runs.csv", "model,task,success\na,1,1\na,1,1\n"))
    assert cells(trials) == {("a", "1"): (2, 2)}
    assert "no trial column: every row is a trial" in read_report(trials).choices


def test_labels_that_look_like_numbers_or_nothing_stay_text(write):
    trials = read_table(write("runs.csv", "model,task,success\nNA,007,1\nNone,1e5,0\n"))
    assert trials.systems == ("NA", "None")
    assert set(trials.tasks) == {"007", "1e5"}


def test_unknown_outcomes_need_a_policy(write):
    file = write("runs.csv", "model,task,success\na,1,1\na,1,\na,2,0\n")
    with pytest.raises(TrialDataError, match=r"1 of 3 trials have no outcome: 1 missing.*line 3"):
        read_table(file)
    table = {
        policy: read_report(read_table(file, missing=policy)).to_frame()
        for policy in ("drop", "failure", "bounds")
    }
    for policy, frame in table.items():
        assert frame["records"].sum() == 3, policy
    assert table["failure"]["counted_as"].tolist() == ["failure", "success", "failure"]
    assert cells(read_table(file, missing="failure"))["a", "1"] == (2, 1)


def test_status_column_of_our_words(write):
    text = "model,task,success,status\na,1,1,ok\na,1,0,infra_error\na,1,,agent_failure\n"
    trials = read_table(write("runs.csv", text), missing="drop")
    assert cells(trials) == {("a", "1"): (2, 1)}
    assert read_report(trials).by_status == {"ok": 1, "agent_failure": 1, "infra_error": 1}
    other = write("other.csv", "model,task,success,status\na,1,1,done\n")
    assert read_report(read_table(other)).by_status == {"ok": 1}
    with pytest.raises(TrialDataError, match="the status 'done' is none of ok"):
        read_table(other, columns={"status": "status"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,task,success\na,1,1\na,1\n", "line 3.*it has 2 fields, but the first line 3"),
        ("model,task,success\na,1,2\n", "line 2.*true, false, 1 or 0, not 2.0"),
        ("model,task,success\na,1,maybe\n", "line 2.*'maybe' is not a number"),
        ("model,task,success\na,,1\n", "line 2.*there is no task in 'task'"),
        ('model,task,success\na,"1,1\n', "line 2.*not CSV.*cut off"),
        ("model,model,success\na,1,1\n", "column 'model' occurs more than once"),
        ("", "empty, or its first line names no columns"),
        ("model,task,success\n", "No table record"),
        ("model,task,success\na,1,inf\n", "line 2.*must be a number, not inf"),
    ],
)
def test_broken_csv(write, text, message):
    with pytest.raises(TrialDataError, match=message):
        read_table(write("runs.csv", text))


def test_malformed_rows_can_be_left_out(write):
    file = write("runs.csv", ROWS + "a,t9\na,t9,1,perhaps\n")
    trials = read_table(file, malformed="skip")
    report = read_report(trials)
    assert report.left_out == {"malformed": 2}
    assert report.n_records == 6
    assert trials.n_trials == 4


def test_byte_order_mark_gzip_tabs_and_long_fields(write, tmp_path):
    bom = write("bom.csv", b"\xef\xbb\xbf" + ROWS.encode())
    packed = tmp_path / "runs.tsv.gz"
    packed.write_bytes(gzip.compress(ROWS.replace(",", "\t").encode()))
    semicolons = write("semi.csv", ROWS.replace(",", ";"))
    long = write("long.csv", f"model,task_id,epoch,passed,log\na,t1,1,1,{'x' * 200_000}\n")
    expected = read_table(bom)
    assert read_table(packed) == expected
    assert read_table(semicolons) == expected
    assert read_table(long).n_trials == 1


def test_not_utf8_names_the_line(write):
    file = write("runs.csv", ROWS.encode() + b"caf\xe9,t1,1,1\n")
    with pytest.raises(TrialDataError, match=r"line 6: not UTF-8 text \(byte 0xe9"):
        read_table(file)


def test_size_limit_counts_unpacked_bytes(tmp_path):
    bomb = tmp_path / "runs.csv.gz"
    bomb.write_bytes(gzip.compress(b"model,task,success\n" + b"a,1,1\n" * 200_000))
    with pytest.raises(TrialDataError, match="larger than 10000 bytes"):
        read_table(bomb, max_bytes=10_000)


def test_counts(write):
    file = write("cells.csv", "model,task,n,successes\na,1,4,2\na,2,0,0\nb,1,4,4\n")
    trials = read_table(file, layout="counts")
    assert cells(trials) == {("a", "1"): (4, 2), ("b", "1"): (4, 4)}
    assert read_report(trials).kept == {("ok", "failure"): 2, ("ok", "success"): 6}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1,3,4", "4 successes in 3 trials"),
        ("a,1,2.5,1", "n must be an integer"),
        ("a,1,-1,0", "n must be an integer"),
        ("a,1,,0", "not a number"),
    ],
)
def test_wrong_counts(write, row, message):
    file = write("cells.csv", f"model,task,n,successes\n{row}\n")
    with pytest.raises(TrialDataError, match=message):
        read_table(file, layout="counts")


def test_counts_without_trials_or_with_repeated_cells(write):
    none = write("none.csv", "model,task,n,successes\na,1,0,0\n")
    with pytest.raises(TrialDataError, match="No trial is counted"):
        read_table(none, layout="counts")
    twice = write("twice.csv", "model,task,n,successes\na,1,4,2\na,1,4,2\n")
    with pytest.raises(TrialDataError, match=r"counted twice: in .*line 2 and in .*line 3"):
        read_table(twice, layout="counts")


def test_wide(write):
    file = write("wide.csv", "model,task,r1,r2,r3\na,1,1,0,\na,2,1,1,1\n")
    trials = read_table(file, layout="wide")
    assert cells(trials) == {("a", "1"): (2, 1), ("a", "2"): (3, 3)}
    assert "1 empty field taken as trials that were not run" in read_report(trials).choices
    some = read_table(file, layout="wide", columns={"trial": ["r1", "r2"]})
    assert some.n_trials == 4


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_arrow_files(tmp_path, kind):
    frame = pd.DataFrame(
        {
            "model": ["a", "a", "b"],
            "task": [1, 2, 1],
            "success": [True, None, False],
            "x": [1, 2, 3],
        }
    )
    file = tmp_path / f"runs.{kind}"
    getattr(frame, f"to_{kind}")(file)
    trials = read_table(file, missing="drop")
    assert trials.n_trials == 2
    assert trials.n_missing == 1


def test_broken_parquet_and_too_many_rows(write, tmp_path):
    with pytest.raises(TrialDataError, match="cannot be read as a table"):
        read_table(write("runs.parquet", b"PAR1 not really PAR1"))
    file = tmp_path / "many.parquet"
    pd.DataFrame({"model": np.repeat("a", 100_000), "task": 1, "success": 1}).to_parquet(file)
    with pytest.raises(TrialDataError, match="100000 rows are more than max_bytes=100000 allows"):
        read_table(file, max_bytes=100_000)


def test_unknown_kind_of_table(write):
    with pytest.raises(ArgumentError, match=r"a table must be one of \.csv"):
        read_table(write("runs.xlsx", "x"))


def test_json_lines_with_nested_fields(write):
    text = '{"spec": {"model": "m"}}\n\n'
    text += '{"type": "match", "sample_id": "s.1", "data": {"correct": true}, "run_id": "r"}\n'
    text += '{"type": "sampling", "sample_id": "s.1", "data": {}, "run_id": "r"}\n'
    text += '{"type": "match", "sample_id": "s.2", "data": {"correct": false}, "run_id": "r"}\n'
    columns = {"system": "run_id", "trial": None, "success": "data.correct"}
    trials = read_jsonl(
        write("log.jsonl", text), columns=columns, where=lambda r: r.get("type") == "match"
    )
    assert cells(trials) == {("r", "s.1"): (1, 1), ("r", "s.2"): (1, 0)}
    assert read_report(trials).left_out == {"not chosen by where": 2}


def test_truncated_json_lines_name_file_and_line(write):
    good = '{"model": "a", "task": 1, "success": 1}\n'
    file = write("log.jsonl", good + '{"model": "a", "task": 1, "su')
    with pytest.raises(TrialDataError, match=r"log.jsonl, line 2, column .*not JSON.*cut off"):
        read_jsonl(file)
    trials = read_jsonl(file, malformed="skip")
    assert read_report(trials).left_out == {"malformed": 1}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", "an object was expected, not"),
        ('{"model": "a", "task": 1}', "no outcome: 1 missing"),
        ('{"model": "a", "task": {}, "success": 1}', "task must be text or an integer"),
        ('{"model": "a", "task": 1, "success": []}', "the outcome must be true, false"),
        ('{"model": "a", "task": 1, "success": 1e999}', "the outcome must be a number, not inf"),
        ('{"model": "a", "task": 1, "success": ' + "9" * 5000 + "}", "value that cannot be read"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    ],
)
def test_broken_json_lines(write, line, message):
    good = '{"model": "a", "task": 1, "success": 1}\n'
    with pytest.raises(TrialDataError, match=message):
        read_jsonl(write("log.jsonl", good + line + "\n"))


def test_paths(write, tmp_path):
    write("a/runs.csv", ROWS)
    write("b/runs.csv", ROWS.replace("t1", "t3").replace("t2", "t4"))
    everything = read_table(tmp_path)
    assert everything.n_trials == 8
    assert read_table(str(tmp_path / "*" / "*.csv")) == everything
    pair = [tmp_path / "a" / "runs.csv", tmp_path / "b", tmp_path / "a" / ".." / "a" / "runs.csv"]
    assert read_table(pair) == everything
    with pytest.raises(ArgumentError, match="does not exist"):
        read_table(tmp_path / "c.csv")
    with pytest.raises(ArgumentError, match="matches nothing"):
        read_table(str(tmp_path / "*.parquet"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(TrialDataError, match=r"no file in this folder is called \*.csv"):
        read_table(empty)
    for wrong in (3, [], [3]):
        with pytest.raises(ArgumentError, match="path"):
            read_table(wrong)


def test_links_in_folders_are_not_followed(write, tmp_path):
    write("logs/runs.csv", ROWS)
    secret = write("elsewhere/secret.csv", ROWS.replace("a,", "z,"))
    (tmp_path / "logs" / "loop").symlink_to(tmp_path / "logs")
    (tmp_path / "logs" / "link.csv").symlink_to(secret)
    assert "z" not in read_table(tmp_path / "logs").systems
    assert read_table(secret).systems == ("b", "z")


def test_special_files_are_refused():
    with pytest.raises(TrialDataError, match="not a regular file"):
        read_jsonl("/dev/zero")


def test_a_glob_sign_in_a_name_is_a_name(write):
    assert read_table(write("runs[1].csv", ROWS)).n_trials == 4


def test_exclusions_are_not_warned_of_when_asked_for(write, recwarn):
    read_jsonl(
        write("log.jsonl", '{"model": "a", "task": 1, "success": 1}\n{"x": 1}\n'),
        where=lambda r: "x" not in r,
    )
    assert not [w for w in recwarn if issubclass(w.category, ExclusionWarning)]


def test_counts_are_not_taken_for_outcomes(write):
    file = write("cells.csv", "model,task,n,passed\na,1,5,1\n")
    with pytest.raises(
        TrialDataError, match=r"'n' may be a number of trials\. Give layout='counts'"
    ):
        read_table(file)
    assert read_table(file, columns={"success": "passed"}).n_trials == 1
    counts = read_table(file, layout="counts", columns={"successes": "passed"})
    assert counts.n_trials == 5


def test_files_with_and_without_trials_are_read_apart(write, tmp_path):
    write("a.csv", ROWS)
    write("b.csv", "model,task_id,passed\na,t1,1\na,t1,0\n")
    with pytest.raises(
        TrialDataError, match=r"2 of 6 records have no trial, the first in .*b\.csv"
    ):
        read_table(tmp_path, on_duplicate="last")


def test_keys_that_occur_twice_and_half_characters(write):
    with pytest.raises(TrialDataError, match="the key 'success' occurs twice in one object"):
        read_jsonl(write("a.jsonl", '{"model": "a", "task": 1, "success": 0, "success": 1}'))
    with pytest.raises(TrialDataError, match="task holds half a character"):
        read_jsonl(write("b.jsonl", '{"model": "a", "task": "\\ud800", "success": 1}'))


def test_times(write):
    text = "model,task,success,when\n"
    text += "a,1,1,1767225600\na,1,0,1767225600000\na,1,1,2026-01-01T01:00:00+01:00\na,1,1,\n"
    frame = read_table(write("a.csv", text), columns={"time": "when"}).to_frame()
    assert frame["time"].dropna().astype(str).unique().tolist() == ["2026-01-01 00:00:00+00:00"]
    assert frame["time"].isna().sum() == 1
    for wrong in ("soon", "0001-01-01", "1e300"):
        file = write("b.csv", f"model,task,success,when\na,1,1,{wrong}\n")
        with pytest.raises(TrialDataError, match="is not a time"):
            read_table(file, columns={"time": "when"})

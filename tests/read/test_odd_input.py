"""What people have: odd names, odd encodings, odd paths, and nothing at all."""

import gzip
import os

import pytest

import reliability_stats as rs
from reliability_stats.exceptions import ReliabilityStatsError
from reliability_stats.read import READERS

HEAD = "system,task,trial,success\n"


def cells(trials):
    frame = trials.counts.to_frame()
    return sorted(zip(frame["system"], frame["task"], frame["n"], frame["successes"], strict=True))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEAD + '"a,b<b>","t""é",0,1\n"a,b<b>","t""é",1,0\n', [("a,b<b>", 't"é', 2, 1)]),
        ("\ufeff" + HEAD + "a,t,0,True\na,t,1,FALSE\n", [("a", "t", 2, 1)]),
        ((HEAD + "a,t,0,yes\na,t,1,No\n").replace("\n", "\r\n"), [("a", "t", 2, 1)]),
        ((HEAD + "a,t,0,pass\na,t,1,FAIL\n").replace("\n", "\r"), [("a", "t", 2, 1)]),
        (
            'system, task, trial, success\na, "t, 1", 0, 1\n a ,t,0, 0\n',
            [("a", "t", 1, 0), ("a", "t, 1", 1, 1)],
        ),
        ("Model;Task_ID;Attempt;Passed\na;t;0;1.0\n", [("a", "t", 1, 1)]),
    ],
    ids=["commas and quotes", "byte order mark", "CRLF", "CR", "spaces", "semicolons"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_ways_to_write_a_table(tmp_path, content, expected, packed):
    file = tmp_path / ("x[1].csv.gz" if packed else "x[1].csv")
    data = content.encode()
    file.write_bytes(gzip.compress(data) if packed else data)
    assert cells(rs.read(file)) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (HEAD.encode(), "No table record"),
        ((HEAD + "é,t,0,1\n").encode("latin-1"), "line 2: not UTF-8"),
        ((HEAD + "a,t,0,1\n").encode("utf-16"), "line 1: not UTF-8"),
        ((HEAD + "a,t,0,1,\n").encode(), "line 2.*5 fields"),
        ((HEAD + "a,t,0,-\n").encode(), "line 2.*'-' is not a number or an outcome"),
        ((HEAD + "a,t,0,1\na,t,0,0\n").encode(), "repeat an earlier one"),
        ((HEAD + " a,t,0,1\na ,t,0,1\n").encode(), "repeat an earlier one"),
    ],
)
def test_tables_that_are_refused(tmp_path, content, message):
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    with pytest.raises(rs.TrialDataError, match=message):
        rs.read(file)


def test_packed_files_that_are_refused(tmp_path):
    whole = gzip.compress((HEAD + "a,t,0,1\n").encode())
    for name, data in (
        ("text", b"plain"),
        ("cut", whole[:-6]),
        ("long", gzip.compress(b"0" * 10**7)),
    ):
        file = tmp_path / f"{name}.csv.gz"
        file.write_bytes(data)
        with pytest.raises(rs.TrialDataError, match=r"cannot be read|larger than"):
            rs.read(file, max_bytes=10**6)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "The path is ''"),
        ("  ", "name a file"),
        (b"x.csv", "not b'x.csv'"),
        ("x" * 5000, "cannot be used"),
        ("a\0b.csv", "does not exist"),
        ("nowhere/*.csv", "matches nothing"),
        (None, "not None"),
        (3, "not 3"),
        ([], r"not \[\]"),
        ([3], "not 3"),
    ],
)
def test_paths_that_are_refused(path, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.read(path)


def test_links_and_pipes(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.csv").write_text(HEAD + "a,t,0,1\n")
    (folder / "b.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "secret.csv").write_text(HEAD + "b,t,0,1\n")
    assert cells(rs.read(folder)) == [("a", "t", 1, 1)]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(rs.TrialDataError, match="not a regular file"):
            rs.read_table(tmp_path / "pipe.csv")
    (tmp_path / "none").mkdir()
    with pytest.raises(rs.TrialDataError, match="no file in this folder"):
        rs.read(tmp_path / "none")


NAMES = {
    "agentrelbench": "verdicts.jsonl",
    "evalpower": "a.csv",
    "harbor": "result.json",
    "helm": "per_instance_stats.json",
    "jsonl": "a.jsonl",
    "junit": "a.xml",
    "lm_eval": "samples_x_2026-01-01T00-00-00.0.jsonl",
    "metr": "runs.jsonl",
    "table": "a.csv",
    "tau2": "results.json",
    "terminal_bench": "results.json",
}


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "[{}]", '{"a": 1}', "\x00", "<a/>"])
@pytest.mark.parametrize("name", READERS)
def test_nothing_is_read_from_files_of_another_kind(tmp_path, name, content):
    file = tmp_path / "s" / NAMES.get(name, "a_UPLOAD.json")
    file.parent.mkdir()
    file.write_text(content)
    for mode in ("raise", "skip"):
        with pytest.raises(ReliabilityStatsError):
            READERS[name](file, malformed=mode, missing="bounds")

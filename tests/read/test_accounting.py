"""Every record is counted once, whatever the order, the files and the table's library."""

import json
import warnings

import pandas as pd
import polars as pl
import pyarrow.feather
from hypothesis import given, settings
from hypothesis import strategies as st

from reliability_stats.exceptions import ReliabilityStatsError
from reliability_stats.read import read_jsonl, read_report, read_table

KINDS = (
    "success",
    "failure",
    "agent_failure",
    "infra_error",
    "grader_error",
    "missing",
    "malformed",
)
RECORDS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 1), st.integers(0, 2), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


def row(kind, system, task, trial):
    """Write a record of a kind; one that is malformed has an outcome that is none."""
    success = {"success": 1, "failure": 0, "agent_failure": None, "malformed": 7}.get(kind)
    status = kind if kind.endswith(("error", "_failure")) else "ok"
    return {"system": f"s{system}", "task": f"t{task}", "trial": trial, "success": success,
            "status": status}  # fmt: skip


def expected(records, keep):
    """Count by hand: malformed records first, then repeats, then statuses."""
    seen = {}
    counts = {"malformed": 0, "duplicate": 0, "ok": 0, "failed": 0, "unknown": 0}
    for kind, *key in records:
        if kind == "malformed":
            counts["malformed"] += 1
            continue
        key = tuple(key)
        counts["duplicate"] += key in seen
        if key not in seen or keep == "last":
            seen[key] = kind
    for kind in seen.values():
        side = {"success": "ok", "failure": "failed", "agent_failure": "failed"}
        counts[side.get(kind, "unknown")] += 1
    return counts


def account(report):
    """Take the same counts from a report."""
    outcomes = {"success": 0, "failure": 0, "unknown": 0}
    for (_, outcome), n in report.kept.items():
        outcomes[outcome] += n
    return {
        "malformed": report.left_out.get("malformed", 0),
        "duplicate": report.left_out.get("duplicate", 0),
        "ok": outcomes["success"],
        "failed": outcomes["failure"],
        "unknown": outcomes["unknown"],
    }


@settings(max_examples=25, deadline=None)
@given(records=RECORDS, cuts=st.integers(1, 4), keep=st.sampled_from(["first", "last"]))
def test_records_add_up_in_any_chunks(tmp_path_factory, records, cuts, keep):
    folder = tmp_path_factory.mktemp("chunks")
    size = -(-len(records) // cuts)
    for i in range(cuts):
        lines = [json.dumps(row(*one)) for one in records[i * size : (i + 1) * size]]
        (folder / f"{i}.jsonl").write_text("\n".join(lines))
    wanted = expected(records, keep)
    more = {"missing": "bounds", "malformed": "skip", "on_duplicate": keep}
    if not wanted["ok"] + wanted["failed"]:
        try:
            read_jsonl(folder, **more)
        except ReliabilityStatsError:
            return
        raise AssertionError("nothing is known, and it was read")
    trials = quiet(read_jsonl, folder, **more)
    report = read_report(trials)
    assert account(report) == wanted
    assert report.n_records == len(records)
    assert trials.n_trials == wanted["ok"] + wanted["failed"]
    assert trials.n_missing == wanted["unknown"]


@settings(max_examples=15, deadline=None)
@given(records=RECORDS.filter(lambda some: any(one[0] == "success" for one in some)))
def test_formats_of_tables_agree(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("tables")
    rows = [row(*one) for one in records if one[0] != "malformed"]
    frame = pd.DataFrame(rows).astype({"success": "Int64"})
    frame.to_csv(folder / "a.csv", index=False)
    frame.to_parquet(folder / "b.parquet")
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "c.parquet")
    pyarrow.feather.write_feather(pyarrow.table(frame), folder / "d.feather")
    (folder / "e.jsonl").write_text("\n".join(map(json.dumps, rows)))
    more = {"missing": "failure", "on_duplicate": "last"}
    first = read_table(folder / "a.csv", **more)
    for name in ("b.parquet", "c.parquet", "d.feather"):
        other = read_table(folder / name, **more)
        assert other == first
        assert read_report(other).kept == read_report(first).kept
    assert read_jsonl(folder / "e.jsonl", **more) == first


def quiet(function, *args, **more):
    """Call without the warning that a system lost all its cells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **more)

"""lm-evaluation-harness."""

import json

import pytest

from reliability_stats.exceptions import TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.lm_eval import read_lm_eval

NAME = "m/samples_add_2026-01-01T00-00-00.0.jsonl"


def row(doc, metric, resps=(("1",),), kept=("1",), rule="none", **more):
    base = {"doc_id": doc, "target": "1", "resps": resps, "filtered_resps": kept, "filter": rule}
    return base | {"metrics": ["em"], "em": metric} | more


def lines(*rows):
    return "\n".join(map(json.dumps, rows))


def counts(trials):
    frame = trials.counts.to_frame()
    return dict(zip(frame["task"], zip(frame["n"], frame["successes"], strict=True), strict=True))


def test_a_real_run_with_repeats(samples):
    folder = samples / "lmeval"
    with pytest.raises(TrialDataError, match=r"rows of the filters first, all3\. Name one"):
        read_lm_eval(folder)
    trials = read_lm_eval(folder, filter="all3")
    # results_*.json says exact_match,all3 = 0.5833 of 4 documents with 3 repeats.
    assert (trials.n_trials, int(trials.counts.successes.sum())) == (12, 7)
    scored = read_lm_eval(folder, scorer=lambda response, target: response == target)
    assert scored == trials
    assert trials.systems == ("qdpv68r5",)
    assert read_report(trials).left_out == {"rows of other filters": 4}
    with pytest.raises(TrialDataError, match="3 repeats, but the filter 'first' scored only one"):
        read_lm_eval(folder, filter="first")


def test_single_responses_and_thresholds(write):
    file = write(NAME, lines(row(0, 1.0), row(1, 0.0), row(2, None)))
    with pytest.raises(TrialDataError, match="1 of 3 trials have no outcome"):
        read_lm_eval(file)
    trials = read_lm_eval(file, missing="drop")
    assert trials.systems == ("m",)
    assert counts(trials) == {"add/0": (1, 1), "add/1": (1, 0)}
    graded = write(NAME, lines(row(0, 0.6)))
    with pytest.raises(TrialDataError, match=r"em is 0\.6, neither 0 nor 1: give threshold="):
        read_lm_eval(graded)
    assert counts(read_lm_eval(graded, threshold=0.5)) == {"add/0": (1, 1)}


def test_choices_have_one_request_each(write):
    resps = [[[-1.0, False]], [[-2.0, True]]]
    file = write(NAME, lines(row(0, 1.0, resps, [[-1.0, False], [-2.0, True]])))
    assert counts(read_lm_eval(file)) == {"add/0": (1, 1)}
    with pytest.raises(TrialDataError, match="2 requests for one document"):
        read_lm_eval(file, scorer=lambda a, b: True)


def test_runs_are_trials_and_documents_must_agree(write, tmp_path):
    for day in (1, 2):
        write(
            f"m/samples_add_2026-01-0{day}T00-00-00.0.jsonl", lines(row(0, day - 1, doc_hash="x"))
        )
    assert counts(read_lm_eval(tmp_path)) == {"add/0": (2, 1)}
    write("m/samples_add_2026-01-03T00-00-00.0.jsonl", lines(row(0, 1, doc_hash="y")))
    with pytest.raises(TrialDataError, match="add/0 is another document than in an earlier file"):
        read_lm_eval(tmp_path)


def test_rows_appended_twice_collide(write):
    with pytest.raises(TrialDataError, match="1 record of 2 repeat"):
        read_lm_eval(write(NAME, lines(row(0, 1.0), row(0, 1.0))))


def test_metrics_must_be_named(write):
    file = write(NAME, lines(row(0, 1.0, metrics=["em", "f1"], f1=0.0)))
    with pytest.raises(TrialDataError, match=r"the metrics em, f1\. Name one"):
        read_lm_eval(file)
    assert counts(read_lm_eval(file, metric="f1")) == {"add/0": (1, 0)}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([1], "an object was expected"),
        ({"doc_id": 0}, "there is no 'resps'"),
        (row(0, "1"), "em must be a number"),
        (row(0, 0.5, [["1", "2", "3"]], [["1", "2", "3"]]), "no mean of 3 outcomes"),
        (row(0, 1.0, "x"), "resps must be a list"),
        (row(0, 1.0, metrics=["other"]), "there is no 'other'"),
        (row({}, 1.0), "doc_id must be text"),
    ],
)
def test_broken_rows(write, record, message):
    with pytest.raises(TrialDataError, match=message):
        read_lm_eval(
            write(NAME, lines(record)),
            filter="None" if isinstance(record, list) or "filter" not in record else None,
        )

"""Inspect AI."""

import json
import zipfile

import pytest

from reliability_stats.exceptions import ArgumentError, ExclusionWarning, TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.inspect_log import read_inspect


def sample(name, epoch=1, grade="C", **more):
    scores = {} if grade is None else {"match": {"value": grade}}
    return {"id": name, "epoch": epoch, "scores": scores, "metadata": {"family": "even"}} | more


def log(
    samples, *, task_id="a", created="2026-01-01", status="success", epochs=1, ids=None, **more
):
    evaluation = {
        "model": "openai/m",
        "task": "toy",
        "task_id": task_id,
        "created": created,
        "task_args": {"variant": "base"},
        "metadata": {"system": "alpha"},
        "config": {"epochs": epochs},
        "dataset": {"sample_ids": ids},
    }
    return {"eval": evaluation | more, "status": status, "samples": samples}


def counts(trials):
    frame = trials.counts.to_frame()
    return dict(zip(frame["task"], zip(frame["n"], frame["successes"], strict=True), strict=True))


def kept(*args, **more):
    return read_report(read_inspect(*args, **more)).kept


def test_real_logs(samples):
    folder = str(samples / "inspect" / "*.json")
    with pytest.raises(TrialDataError, match="the scorers includes, match: name one with scorer="):
        read_inspect(folder)
    with pytest.raises(TrialDataError, match=r"repeat an earlier one.*system='{model} {metadata"):
        read_inspect(folder, scorer="match")
    name = "{metadata.system}"
    with pytest.raises(TrialDataError, match=r"2 of 24 trials.*2 infra_error.*sandbox died"):
        read_inspect(folder, scorer="match", system=name)
    trials = read_inspect(folder, scorer="match", system=name, missing="drop",
                          condition="task_args.variant", group="metadata.family")  # fmt: skip
    assert trials.systems == ("alpha", "beta")
    assert trials.counts.conditions == ("paraphrase",)
    frame = trials.counts.to_frame().groupby("system")[["n", "successes"]].sum()
    # Counted by hand from the two files.
    assert frame.loc["alpha"].tolist() == [11, 4]
    assert frame.loc["beta"].tolist() == [11, 6]
    rows = trials.to_frame()
    assert set(rows["group"]) == {"even", "odd"}
    assert rows["time"].notna().all()


@pytest.mark.parametrize(
    ("grade", "score"),
    [("C", 1), ("P", 0.5), ("I", 0), ("N", 0), (1, 1), (0.25, 0.25), (True, 1), ("yes", 1),
     ("No", 0), ("0.75", 0.75)],
)  # fmt: skip
def test_grades(write, grade, score):
    file = write("log.json", log([sample("q", grade=grade)]))
    assert read_inspect(file).to_frame()["score"].tolist() == [score]
    assert counts(read_inspect(file))["toy/q"] == (1, int(score == 1))
    assert counts(read_inspect(file, threshold=0.5))["toy/q"] == (1, int(score >= 0.5))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"grade": None, "error": {"message": "died"}}, ("infra_error", "unknown")),
        ({"grade": "I", "error": {"message": "died"}}, ("ok", "failure")),
        ({"grade": None}, ("missing", "unknown")),
        ({"grade": None, "limit": {"type": "token"}}, ("agent_failure", "failure")),
        ({"grade": "I", "limit": {"type": "time"}}, ("agent_failure", "failure")),
        ({"grade": "C", "limit": {"type": "time"}}, ("ok", "success")),
        ({"grade": None, "limit": {"type": "operator"}}, ("missing", "unknown")),
    ],
)
def test_errors_and_limits(write, more, expected):
    file = write("log.json", log([sample("p", grade="I"), sample("q", **more)]))
    found = kept(file, missing="drop")
    assert found == {("ok", "failure"): 2} if expected == ("ok", "failure") else expected in found


def test_a_log_in_which_everything_broke(write):
    broken = [sample("q", epoch, None, error={"message": "died"}) for epoch in (1, 2)]
    file = write("log.json", log(broken, epochs=2))
    with pytest.raises(TrialDataError, match=r"2 of 2 trials have no outcome: 2 infra_error"):
        read_inspect(file)
    assert counts(read_inspect(file, missing="failure")) == {"toy/q": (2, 0)}


def test_planned_samples_that_are_not_there_are_missing(write):
    file = write("log.json", log([sample("q")], epochs=2, ids=["q", "r"], status="cancelled"))
    with pytest.raises(TrialDataError, match=r"3 of 4 trials have no outcome: 3 missing"):
        read_inspect(file)
    trials = read_inspect(file, missing="failure")
    assert counts(trials) == {"toy/q": (2, 1), "toy/r": (2, 0)}
    assert "has the status 'cancelled'" in read_report(trials).choices[0]


def test_of_retried_logs_the_newest_is_read(write, tmp_path):
    write("1.json", log([sample("q"), sample("r", grade=None, error={})], status="error"))
    write("2.json", log([sample("q"), sample("r", grade="I")], created="2026-01-02"))
    with pytest.warns(ExclusionWarning, match="2 samples of logs that were retried"):
        assert counts(read_inspect(tmp_path)) == {"toy/q": (1, 1), "toy/r": (1, 0)}


def test_separate_runs_are_trials_only_when_told(write, tmp_path):
    write("1.json", log([sample("q")], task_id="a"))
    write("2.json", log([sample("q", grade="I")], task_id="b"))
    with pytest.raises(TrialDataError, match="1 record of 2 repeat"):
        read_inspect(tmp_path)
    assert counts(read_inspect(tmp_path, on_duplicate="renumber")) == {"toy/q": (2, 1)}


def test_invalidated_samples_and_logs(write, tmp_path):
    write("1.json", log([sample("q"), sample("r", invalidation={"author": "x"})]))
    write("2.json", log([sample("s")], task_id="b") | {"invalidated": True})
    with pytest.warns(ExclusionWarning, match="2 invalidated samples"):
        assert counts(read_inspect(tmp_path)) == {"toy/q": (1, 1)}


def test_names(write):
    file = write(
        "log.json", log([sample("q")]) | {"plan": {"steps": [{"solver": "a"}, {"solver": "b"}]}}
    )
    assert read_inspect(file, system="{model} {solver}").systems == ("openai/m a+b",)
    assert read_inspect(file, system="mine").systems == ("mine",)
    assert read_inspect(file, system=lambda path: path.stem).systems == ("log",)
    for wrong in ("{model!r}", "{model:>5}", "{model[0]}", "{model"):
        with pytest.raises(ArgumentError, match=r"only plain fields|cannot be filled"):
            read_inspect(file, system=wrong)
    with pytest.raises(TrialDataError, match=r"there is no 'nothing'"):
        read_inspect(file, system="{nothing}")


def test_conditions_from_log_and_sample(write):
    samples = [sample("q", metadata={"lang": "de"}), sample("q", 2, metadata={"lang": "en"})]
    file = write("log.json", log(samples))
    trials = read_inspect(file, condition=["task_args.variant", "metadata.lang"])
    assert trials.counts.conditions == ("base / de", "base / en")
    with pytest.raises(TrialDataError, match=r"nor the sample has 'metadata\.x'"):
        read_inspect(file, condition="metadata.x")


def test_scores_of_several_values(write):
    file = write("log.json", log([sample("q", grade={"a": "C", "b": 0})]))
    with pytest.raises(TrialDataError, match=r"name one with scorer='match\.key'"):
        read_inspect(file)
    assert counts(read_inspect(file, scorer="match.a"))["toy/q"] == (1, 1)
    assert counts(read_inspect(file, scorer="match.b"))["toy/q"] == (1, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "an object was expected"),
        ({"eval": []}, "eval must be an object"),
        (log(None), "it holds no samples"),
        (log({}), "samples must be a list"),
        (log([3]), "an object was expected, not 3"),
        (log([sample("q", grade="D")]), "'D' is no grade and no number"),
        (log([sample("q", grade=["C"])]), "has several values"),
        (log([sample("q", epoch="x")]), "epoch must be a number"),
        (log([sample("q", scores=[1])]), "scores must be an object"),
        (log([sample("q", scores={"match": 1})]), "an object was expected"),
        (log([]), "No Inspect record"),
    ],
)
def test_broken_logs(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_inspect(write("log.json", content))


def archive(path, content, *, method=zipfile.ZIP_DEFLATED, names=None):
    header = {key: value for key, value in content.items() if key != "samples"}
    with zipfile.ZipFile(path, "w", method) as out:
        out.writestr("header.json", json.dumps(header))
        for i, one in enumerate(content["samples"]):
            name = names[i] if names else f"samples/{one['id']}_epoch_{one['epoch']}.json"
            out.writestr(name, json.dumps(one))
    return path


def test_archives_packed_with_deflate_are_read_here(tmp_path, write):
    content = log([sample("q"), sample("r", grade="I")])
    packed = read_inspect(archive(tmp_path / "log.eval", content))
    assert packed == read_inspect(write("log.json", content))
    with zipfile.ZipFile(tmp_path / "crashed.eval", "w") as out:
        out.writestr("_journal/start.json", json.dumps({"eval": content["eval"]}))
        out.writestr("samples/q_epoch_1.json", json.dumps(sample("q")))
    assert read_inspect(tmp_path / "crashed.eval").n_trials == 1


def test_archives_packed_with_zstandard_name_the_extra(tmp_path):
    file = archive(tmp_path / "log.eval", log([sample("q")]), method=zipfile.ZIP_STORED)
    data = bytearray(file.read_bytes())
    start = data.index(b"PK\x01\x02")
    data[start + 10 : start + 12] = (93).to_bytes(2, "little")
    file.write_bytes(bytes(data))
    with pytest.raises(ImportError, match=r"reliability_stats\[inspect\].*inspect log convert"):
        read_inspect(file)


def test_harmful_archives_are_refused(tmp_path, write):
    content = log([sample("q")])
    for name in ("../samples/q.json", "/samples/q.json", "C:\\samples\\q.json"):
        file = archive(tmp_path / "log.eval", content, names=[name])
        with pytest.raises(TrialDataError, match="outside the archive"):
            read_inspect(file)
    with zipfile.ZipFile(tmp_path / "link.eval", "w") as out:
        link = zipfile.ZipInfo("samples/q.json")
        link.external_attr = 0o120777 << 16
        out.writestr(link, "/etc/passwd")
    with pytest.raises(TrialDataError, match="is a link"):
        read_inspect(tmp_path / "link.eval")
    bomb = archive(tmp_path / "bomb.eval", log([sample("q", metadata={"x": "0" * 10**7})]))
    with pytest.raises(TrialDataError, match="unpacks to more than"):
        read_inspect(bomb)
    with pytest.raises(TrialDataError, match="unpacks to more than max_bytes=100 allows"):
        read_inspect(archive(tmp_path / "log.eval", content), max_bytes=100)
    with pytest.raises(TrialDataError, match="cannot be read as a zip archive"):
        read_inspect(write("no.eval", b"no zip"))
    with zipfile.ZipFile(tmp_path / "empty.eval", "w") as out:
        out.writestr("x", "y")
    with pytest.raises(TrialDataError, match=r"there is no header\.json"):
        read_inspect(tmp_path / "empty.eval")


def test_samples_run_again_are_told_of(write):
    file = write("log.json", log([sample("q", error_retries=[{"message": "x"}]), sample("r")]))
    assert "1 sample run again after an error" in read_report(read_inspect(file)).choices[0]

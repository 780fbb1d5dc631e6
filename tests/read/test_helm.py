"""HELM."""

import pytest

from reliability_stats.exceptions import ExclusionWarning, TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.helm import read_helm


def row(instance, value, trial=0, perturbation=None, name="exact_match"):
    stats = [{"name": {"name": "num_tokens"}, "count": 1, "mean": 7}]
    if value is not None:
        stats.append({"name": {"name": name, "split": "test"}, "count": 1, "mean": value})
    out = {"instance_id": instance, "train_trial_index": trial, "stats": stats}
    return out | ({"perturbation": perturbation} if perturbation else {})


SPEC = {
    "name": "mmlu:subject=anatomy,model=m",
    "scenario_spec": {"args": {"subject": "anatomy"}},
    "adapter_spec": {"model": "org/m"},
}
NAME = "run/per_instance_stats.json"


def test_a_real_run(samples):
    trials = read_helm(samples / "helm")
    assert trials.systems == ("simple/model1",)
    assert trials.counts.conditions == ("mild_mix", "original")
    assert trials.counts.n.tolist() == [2] * 6
    assert int(trials.counts.successes.sum()) == 0
    with pytest.raises(TrialDataError, match=r"has the statistic 'f1'\. There are: .*exact_match"):
        read_helm(samples / "helm", metric="f1", missing="failure")


def test_names_trials_and_scores(write, tmp_path):
    write("run/run_spec.json", SPEC)
    write(NAME, [row("id1", 1.0), row("id1", 0.0, 1), row("id2", 1.0)])
    trials = read_helm(tmp_path)
    assert trials.systems == ("org/m",)
    assert trials.tasks == ("mmlu[subject=anatomy]/id1", "mmlu[subject=anatomy]/id2")
    assert trials.counts.n.tolist() == [2, 1]
    assert not trials.counts.conditions


def test_perturbations(write):
    typo = {"name": "typos", "robustness": True, "fairness": False, "computed_on": "perturbed"}
    worst, original = (typo | {"computed_on": kind} for kind in ("worst", "original"))
    rows = [row("id1", 1.0), row("id1", 0.0, perturbation=typo)]
    rows += [row("id1", 0.0, perturbation=typo | {"seed": 2}), row("id1", 0, perturbation=worst)]
    rows += [row("id1", 1, perturbation=original)]
    with pytest.warns(ExclusionWarning, match="2 records worked out from others"):
        trials = read_helm(write(NAME, rows), system="m")
    assert trials.counts.conditions == ("original", "typos", "typos (seed=2)")


def test_dropped_values_have_no_outcome(write):
    file = write(NAME, [row("id1", 1.0), row("id2", None)])
    with pytest.raises(TrialDataError, match=r"1 missing.*there is no exact_match"):
        read_helm(file, system="m")
    assert read_report(read_helm(file, system="m", missing="bounds")).n_records == 2


def test_graded_statistics_need_a_threshold(write):
    file = write(NAME, [row("id1", 0.4, name="f1")])
    with pytest.raises(TrialDataError, match=r"f1 is 0\.4, neither 0 nor 1: give threshold="):
        read_helm(file, metric="f1", system="m")
    assert int(read_helm(file, metric="f1", threshold=0.4, system="m").counts.successes[0]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "the file must be a list"),
        ([3], "an object was expected|there is no"),
        ([{"instance_id": "a", "stats": {}}], "stats must be a list"),
        ([row({}, 1.0)], "instance_id must be text"),
        ([row("a", "1")], "exact_match must be a number"),
        (
            [row("a", 1.0) | {"stats": row("a", 1.0)["stats"] + row("a", 0.0)["stats"]}],
            "that differ",
        ),
    ],
)
def test_broken_files(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_helm(write(NAME, content), system="m")


def test_the_system_must_be_known(write):
    with pytest.raises(TrialDataError, match="does not name the system"):
        read_helm(write(NAME, [row("a", 1.0)]))

"""Files as the formats' own writers write them. Those that are not installed are skipped."""

import collections
import json
import os
import subprocess
import sys
import textwrap
import uuid
import warnings
from datetime import UTC, datetime, timedelta

import pytest

import reliability_stats as rs
from reliability_stats.read import read_report

FLAKY = """
import os, pytest
RUN = int(os.environ.get("RUN", 0))
@pytest.mark.parametrize("task", ["a", "b,ä", "c"])
def test_task(task): assert task == "a" or (task == "c" and RUN % 2)
@pytest.mark.skip(reason="n/a")
def test_skip(): pass
@pytest.fixture
def broken(): raise OSError("no disk")
def test_error(broken): pass
@pytest.mark.xfail
def test_expected(): assert False
def test_by_turns():
    with open("turns", "a+") as f:
        f.write("x"); f.seek(0)
        assert len(f.read()) % 3 == 0
"""


@pytest.fixture
def run_pytest(tmp_path):
    """Give a function that runs pytest on the tests above and returns its report."""
    pytest.importorskip("defusedxml")
    (tmp_path / "test_flaky.py").write_text(FLAKY, "utf-8")

    def run(name, *arguments, run=0):
        report = tmp_path / "reports" / f"{name}.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly",
             "-c", os.devnull, "--rootdir", tmp_path, f"--junitxml={report}", *arguments,
             "test_flaky.py"],
            cwd=tmp_path, env={**os.environ, "RUN": str(run), "PYTEST_ADDOPTS": ""},
            capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        return report

    return run


def counts(trials):
    frame = trials.counts.to_frame()
    return {row.task.split("::")[-1]: (row.n, row.successes) for row in frame.itertuples()}


def test_junit_of_pytest_itself(run_pytest):
    """Three runs are three trials; set-up errors and skips are no outcomes, xfail is left out."""
    for i in range(3):
        folder = run_pytest(f"run{i}", run=i).parent
    with pytest.warns(rs.ExclusionWarning, match="tests expected to fail"):
        trials = rs.read_junit(folder, missing="bounds", system="ci")
    assert counts(trials) == {
        "test_task[a]": (3, 3),
        "test_task[b,\\xe4]": (3, 0),
        "test_task[c]": (3, 1),
        "test_by_turns": (3, 1),
    }
    report = read_report(trials)
    assert report.kept["infra_error", "unknown"] == 3
    assert report.kept["missing", "unknown"] == 3
    assert report.left_out == {"tests expected to fail": 3}
    assert report.n_records == 3 * 7
    with pytest.warns(rs.ExclusionWarning):
        assert rs.read(folder, missing="bounds", system="ci") == trials


def test_junit_of_pytest_rerunfailures(run_pytest):
    pytest.importorskip("pytest_rerunfailures")
    file = run_pytest("reruns", "--reruns", "4", "-k", "by_turns or a]", "-p", "rerunfailures")
    if not file.exists():
        file = run_pytest("reruns", "--reruns", "4", "-k", "by_turns or a]")
    with pytest.warns(rs.ReliabilityStatsWarning, match="run again after a failure"):
        trials = rs.read_junit(file, system="ci")
    assert counts(trials) == {"test_task[a]": (1, 1), "test_by_turns": (3, 1)}


def test_junit_of_pytest_repeat(run_pytest):
    pytest.importorskip("pytest_repeat")
    file = run_pytest("repeat", "--count", "6", "-k", "test_by_turns or test_task")
    found = counts(rs.read_junit(file, system="ci"))
    assert found.pop("test_by_turns") == (6, 2)
    assert [found[f"test_task[{name}]"] for name in ("a", "c")] == [(6, 6), (6, 0)]
    assert len(found) == 3


def test_inspect(tmp_path, monkeypatch):
    """A task with three epochs on its mock model, as JSON and as an archive."""
    pytest.importorskip("inspect_ai")
    script = tmp_path / "make.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from inspect_ai import Task, eval as run
        from inspect_ai.dataset import Sample
        from inspect_ai.model import ModelOutput, ModelUsage, get_model
        from inspect_ai.scorer import match
        from inspect_ai.solver import generate, solver

        outputs = []
        for i in range(40):
            one = ModelOutput.from_content("mockllm/model", f"ANSWER: {i % 4 if i % 3 else 'x'}")
            one.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
            outputs.append(one)

        @solver
        def flaky():
            async def solve(state, generate):
                if state.sample_id == "q3" and state.epoch == 2:
                    raise RuntimeError("sandbox died")
                return await generate(state)
            return solve

        samples = [Sample(id=f"q{i}", input=f"{i}?", target=str(i)) for i in range(4)]
        for form in ("json", "eval"):
            model = get_model("mockllm/model", custom_outputs=list(outputs), memoize=False)
            task = Task(dataset=samples, solver=[flaky()], scorer=match(), name="toy")
            run(task, model=model, epochs=3, log_dir=form, log_format=form, display="none",
                fail_on_error=False, max_connections=1, max_samples=1)
    """),
        "utf-8",
    )
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, timeout=300,
                   capture_output=True)  # fmt: skip
    from inspect_ai.log import list_eval_logs, read_eval_log

    for form in ("json", "eval"):
        (info,) = list_eval_logs(str(tmp_path / form))
        log = read_eval_log(info)
        values = [s.scores["match"].value if s.scores else None for s in log.samples]
        tally = collections.Counter(values)
        assert sum(tally.values()) == 12
        trials = rs.read(tmp_path / form, missing="bounds")
        report = read_report(trials)
        assert report.format == "Inspect"
        assert report.kept["infra_error", "unknown"] == tally[None] == 1
        assert report.kept["ok", "success"] == tally["C"]
        assert report.kept["ok", "failure"] == tally["I"]
        assert trials.n_trials == 11


def test_terminal_bench(tmp_path):
    models = pytest.importorskip("terminal_bench.harness.models")
    from terminal_bench.agents.failure_mode import FailureMode
    from terminal_bench.parsers.base_parser import UnitTestStatus

    passed, failed = UnitTestStatus.PASSED, UnitTestStatus.FAILED
    outcomes = [
        (True, FailureMode.UNSET, {"a": passed}),
        (False, FailureMode.UNSET, {"a": passed, "b": failed}),
        (True, FailureMode.AGENT_TIMEOUT, {"a": passed}),
        (False, FailureMode.AGENT_TIMEOUT, {"a": failed}),
        (None, FailureMode.PARSE_ERROR, None),
        (None, FailureMode.UNKNOWN_AGENT_ERROR, None),
    ]
    results = [
        models.TrialResults(
            trial_name=f"t{task}.{k}-of-6.run", task_id=f"t{task}", instruction="do",
            is_resolved=resolved, failure_mode=mode, parser_results=tests,
            trial_started_at="2026-01-02T03:04:05+00:00",
        )
        for task in range(2)
        for k, (resolved, mode, tests) in enumerate(outcomes, 1)
    ]  # fmt: skip
    run = models.BenchmarkResults(results=results)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "results.json").write_text(run.model_dump_json(indent=4))
    metadata = models.RunMetadata(
        run_id="run", output_path=".", agent_name="terminus", model_name="m", no_rebuild=True,
        cleanup=True, log_level=0,
    )  # fmt: skip
    (folder / "run_metadata.json").write_text(metadata.model_dump_json())
    trials = rs.read(tmp_path, missing="failure")
    assert trials.systems == ("terminus + m",)
    assert int(trials.counts.successes.sum()) / trials.n_trials == pytest.approx(run.accuracy)
    found = rs.PassAtK(2).from_counts(trials.counts.n, trials.counts.successes)
    assert found == pytest.approx(run.pass_at_k[2])
    assert read_report(trials).kept == {
        ("ok", "success"): 4,
        ("ok", "failure"): 2,
        ("agent_failure", "failure"): 2,
        ("infra_error", "unknown"): 2,
        ("grader_error", "unknown"): 2,
    }


def harbor_trial(module, i, reward=None, error=None):
    """Make a trial with Harbor's own models."""
    from harbor.models.task.id import LocalTaskId
    from harbor.models.trial.config import TaskConfig, TrialConfig
    from harbor.models.verifier.result import VerifierResult

    start = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=i)
    broken = None
    if error is not None:
        broken = module.ExceptionInfo(
            exception_type=error, exception_message="", exception_traceback="", occurred_at=start
        )
    return module.TrialResult(
        task_name="t", trial_name=f"t__{i:07d}", trial_uri="file:///t", source="set",
        task_id=LocalTaskId(path="t"), task_checksum="0",
        config=TrialConfig(task=TaskConfig(path="t")),
        agent_info=module.AgentInfo(name="terminus", version="2",
                                    model_info=module.ModelInfo(name="m")),
        verifier_result=None if reward is None else VerifierResult(rewards={"reward": reward}),
        exception_info=broken, started_at=start,
    )  # fmt: skip


def test_harbor(tmp_path):
    module = pytest.importorskip("harbor.models.trial.result")
    from harbor.models.job.result import JobResult, JobStats
    from harbor.models.trial.error_policy import ERROR_POLICIES

    errors = [None, "SomethingNobodyKnows", *ERROR_POLICIES]
    made = [
        harbor_trial(module, 2 * i + j, reward, error)
        for i, error in enumerate(errors)
        for j, reward in enumerate((1.0, 0.0))
    ]
    job = tmp_path / "job"
    for one in made:
        (job / one.trial_name).mkdir(parents=True)
        (job / one.trial_name / "result.json").write_text(one.model_dump_json())
    stats = JobStats.from_trial_results(made, n_total_trials=len(made))
    whole = JobResult(id=uuid.uuid4(), started_at=made[0].started_at, n_total_trials=len(made),
                      stats=stats)  # fmt: skip
    (job / "result.json").write_text(whole.model_dump_json())
    trials = rs.read(tmp_path, missing="drop")
    assert trials.systems == ("terminus + m",)
    valid = [one for one in made if one.reward_valid]
    assert trials.n_trials == len(valid)
    assert trials.n_missing == len(made) - len(valid)
    (evaluated,) = stats.evals.values()
    assert int(trials.counts.successes.sum()) == len(evaluated.reward_stats["reward"][1.0])


def test_lm_eval(tmp_path):
    """A generation task with three repeats on a model of a few lines."""
    pytest.importorskip("lm_eval")
    pytest.importorskip("datasets")
    questions = [{"question": f"{i}+1=", "answer": str(i + 1)} for i in range(5)]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, questions)))
    (tmp_path / "add.yaml").write_text(
        textwrap.dedent(f"""
        task: toy_add
        dataset_path: json
        dataset_kwargs: {{data_files: {tmp_path / "d.jsonl"}}}
        test_split: train
        output_type: generate_until
        doc_to_text: "{{{{question}}}}"
        doc_to_target: "{{{{answer}}}}"
        repeats: 3
        generation_kwargs: {{until: ["\\n"], do_sample: true, temperature: 1.0}}
        filter_list:
          - {{name: first, filter: [{{function: take_first}}]}}
          - {{name: all3, filter: [{{function: take_first_k, k: 3}}]}}
        metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
    """)
    )
    (tmp_path / "go.py").write_text(
        textwrap.dedent(f"""
        import random, lm_eval
        from lm_eval.api.model import LM
        from lm_eval.loggers import EvaluationTracker
        from lm_eval.tasks import TaskManager
        class Toy(LM):
            rng = random.Random(1)
            def generate_until(self, requests, **more):
                sums = [int(one.args[0].split("+")[0]) + 1 for one in requests]
                return [str(n if self.rng.random() < 0.6 else n + 1) for n in sums]
            def loglikelihood(self, requests, **more): ...
            def loglikelihood_rolling(self, requests, **more): ...
        tracker = EvaluationTracker(output_path={str(tmp_path / "out")!r})
        tracker.general_config_tracker.log_experiment_args("toy", "model=toy-v1", None, None, False)
        found = lm_eval.simple_evaluate(
            model=Toy(), tasks=["toy_add"], log_samples=True,
            task_manager=TaskManager(include_path={str(tmp_path)!r}),
            bootstrap_iters=10, evaluation_tracker=tracker)
        samples = found.pop("samples")
        tracker.save_results_aggregated(found, samples)
        for name, rows in samples.items():
            tracker.save_results_samples(name, rows)
    """)
    )
    environment = {**os.environ, "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run([sys.executable, "go.py"], cwd=tmp_path, env=environment, timeout=300,
                          capture_output=True, text=True, check=False)  # fmt: skip
    if "No module named 'torch'" in done.stderr:
        pytest.skip("lm_eval needs torch here")
    assert done.returncode == 0, done.stderr[-2000:]
    (results,) = (tmp_path / "out").rglob("results_*.json")
    published = json.loads(results.read_text())["results"]["toy_add"]["exact_match,all3"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trials = rs.read(tmp_path / "out", format="lm_eval", filter="all3")
    assert trials.n_trials == 15
    assert int(trials.counts.successes.sum()) == round(15 * published)
    scored = rs.read_lm_eval(tmp_path / "out", scorer=lambda said, target: said == target)
    assert scored.counts.successes.tolist() == trials.counts.successes.tolist()

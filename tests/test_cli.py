"""The command line, run in process; a few runs through a real shell pipe."""

import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats import cli
from reliability_stats.cli import main
from reliability_stats.report import findings

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
FIGURES = ("capability_reliability", "pass_curves", "task_map")
SINGLE = "system,task,success\na,1,1\na,2,0\na,3,1\n"


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    """Fix the width and drop what the caller's terminal says about colours."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def plots(monkeypatch):
    """Stand in for the plots: an empty figure each, and a record of what was asked for."""
    drawn = []

    def stand_in(name):
        def plot(post, **settings):
            from matplotlib import pyplot as plt

            drawn.append((name, post.trials.missing_policy, settings))
            return plt.subplots(figsize=(1, 1))[1]

        plot.__name__ = name
        return plot

    for name in FIGURES:
        monkeypatch.setattr(rs.plots, name, stand_in(name))
    return drawn


@pytest.fixture
def run(capsys):
    """Run the command line; give the exit code, and what it printed on both streams."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


@pytest.fixture
def table(tmp_path):
    """Write a text table and give its path."""

    def write(text, name="runs.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def fingerprint(out):
    """Give the fingerprint that a report shows."""
    return next(line.split()[1] for line in out.splitlines() if line.startswith("fingerprint"))


def flat(text):
    """Undo line breaks."""
    return " ".join(text.split())


# ------------------------------------------------------------------ what is said


def test_demo_says_capability_and_reliability_side_by_side(run):
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    assert (
        "at least 1 of 4 trials succeeds is 70% [57%, 81%] (capability, pass@4), the chance that "
        "all 4 succeed is 18% [9%, 29%] (reliability, pass^4)."
    ) in flat(out)
    assert "Of 50 tasks, 10 always succeeded, 26 succeeded and failed, 14 never succeeded." in flat(
        out
    )
    assert fingerprint(out) == rs.datasets.load("tau-bench-airline-gpt4o").fingerprint[:16]
    assert "arXiv:2406.12045" in out
    assert "not shown    Drift over time" in out


def test_table_holds_the_summary(run):
    _, out, _ = run("demo", "--k", "3", "--prob", "0.8", "--over", "observed")
    post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    wanted = [rs.PassAtK(3), rs.PassHatK(3), rs.FlickerMass()]
    assert "80% interval" in out
    assert "the very tasks in the table" in out
    for row in post.summary(wanted, over="observed", prob=0.8).itertuples():
        line = next(line for line in out.splitlines() if line.split()[:1] == [row.estimand])
        assert f"{row.mean:.3f}   [{row.lower:.3f}, {row.upper:.3f}]   {row.identified}" in line


def test_nothing_is_wider_than_the_terminal(run, monkeypatch):
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        for arguments in (("demo",), ("demo", "--dataset", "simulated-three-systems")):
            _, out, _ = run(*arguments)
            assert max(map(len, out.splitlines())) <= width
            assert all(line == line.rstrip() for line in out.splitlines())


def test_one_trial_a_task_gives_bounds_and_no_estimate(run, table):
    code, out, err = run("analyze", table(SINGLE), "--k", "4")
    assert (code, err) == (0, "")
    post = rs.fit(
        rs.Trials.from_counts(
            {"task": [1, 2, 3], "n": [1] * 3, "successes": [1, 0, 1]}, system=None
        )
    )
    row = post.summary(rs.SuccessRate()).iloc[0]
    text = flat(out)
    assert f"one trial succeeds is {100 * row['mean']:.0f}% [" in text
    assert "capability and reliability over repeated trials are not identified" in text
    assert f"pass@4) with {100 * row['lower']:.0f}% to >99%" in text
    assert f"pass^4) with <1% to {100 * row['upper']:.0f}%" in text
    for name in ("pass@4 ", "pass^4 ", "icc", "persistence", "flicker_mass"):
        assert not any(line.strip().startswith(name) for line in out.splitlines())


def test_a_single_trial_system_beside_a_repeated_one(run, table):
    code, out, err = run("analyze", table(SINGLE + "b,1,1\nb,1,1\nb,2,0\nb,2,1\n"))
    assert code == 0
    assert err.count("warning: ") == 1
    assert "not identified" in err
    first, second = out.split("\nb\n")
    assert "Bounds, not estimates" in flat(first)
    assert [line.split()[-3:] for line in first.splitlines() if "all of 2" in line] == [
        ["-", "-", "no"]
    ]
    assert "(reliability, pass^2)" in flat(second)


def test_more_trials_than_were_run_are_marked_as_extrapolated(run, table):
    _, out, _ = run("analyze", table(ROWS), "--k", "8")
    assert "Most tasks have fewer than 8 trials: the model extrapolates." in out
    line = next(line for line in out.splitlines() if "all of 8 succeed" in line)
    assert line.endswith("model")
    _, out, _ = run("analyze", table(ROWS), "--k", "2")
    assert "extrapolates" not in out


def many(n, systems=12):
    return "system,task,n,successes\n" + "".join(
        f"s{i},{t},{n},{(i + t) % (n + 1)}\n" for i in range(systems) for t in range(6)
    )


def test_many_systems_get_one_row_each(run, table):
    code, out, _ = run("analyze", table(many(3)))
    assert code == 0
    rows = [line.split()[0] for line in out.splitlines() if line.startswith(" s")]
    assert rows == ["system", *(f"s{i}" for i in range(12))]
    head = next(line for line in out.splitlines() if line.startswith(" system"))
    assert head.split() == ["system", "pass@3", "pass^3", "gap@3"]
    assert "*" not in out


def test_many_systems_beyond_their_trials_are_starred(run, table):
    _, out, _ = run("analyze", table(many(3)), "--k", "5")
    rows = [line for line in out.splitlines() if line.startswith(" s") and "%" in line]
    assert all(line.count("%]*") == 3 for line in rows)
    assert "* most tasks have fewer than 5 trials" in out


def test_many_systems_with_one_trial_a_task(run, table):
    _, out, _ = run("analyze", table(many(1)))
    assert "pass^k, all of k, between rate^k and rate" in flat(out)
    assert "pass^2" not in out
    assert "gap" not in out


def test_many_systems_of_which_one_was_never_repeated(run, table):
    _, out, err = run("analyze", table(many(3) + "single,0,1,1\nsingle,1,1,0\n"))
    assert "warning: " in err
    line = next(line for line in out.splitlines() if line.startswith(" single"))
    assert line.count("not identified") == 2
    assert line.split()[1].endswith("%")


def test_labels_are_printed_as_they_are(run, table):
    text = 'system,task,success\n"[bold]a, b[/bold] :smile: <i> \\x_1",t,1\n'
    text += '"[bold]a, b[/bold] :smile: <i> \\x_1",t,0\n'
    _, out, _ = run("analyze", table(text))
    assert out.splitlines()[0] == "[bold]a, b[/bold] :smile: <i> \\x_1"


def test_control_characters_do_not_reach_the_terminal(run, table):
    _, out, _ = run("analyze", table("system,task,success\na\x1b[31m\x07,t,1\na\x1b[31m\x07,t,0\n"))
    assert "\x1b" not in out
    assert out.splitlines()[0] == r"a\x1b[31m\x07"


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_styles_on_a_terminal_only_and_not_with_no_color(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for no_color, styled in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", no_color)
        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)
        assert main(["demo"]) == 0
        assert ("\x1b[1m" in screen.getvalue()) is styled


def test_output_that_cannot_be_encoded_is_spelled_out(monkeypatch, table):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    path = table("system,task,success\nÄgent,t,1\nÄgent,t,0\n")
    assert main(["analyze", str(path)]) == 0
    text = screen.buffer.getvalue().decode("ascii")
    assert text.startswith("\\xc4gent\n")
    assert "\\u" not in text


# ------------------------------------------------------------------ what was analysed


def test_columns_and_kind_of_table_are_shown(run, table):
    code, out, err = run("analyze", table(ROWS), "--task", "task")
    assert (code, err) == (0, "")
    assert "one row a trial" in flat(out)
    assert "system = system, task = task, success = success, trial = trial; not used: none" in flat(
        out
    )
    frame = pd.read_csv(io.StringIO(ROWS))
    assert fingerprint(out) == rs.Trials.from_frame(frame).fingerprint[:16]


def test_named_count_columns(run, table):
    text = "model,id,runs,good,\na,t1,2,1,\na,t2,2,2,\nb,t1,2,0,\nb,t2,2,1,\n"
    named = ("--system", "model", "--task", "id", "--n", "runs", "--successes", "good")
    code, out, _ = run("analyze", table(text), *named)
    assert code == 0
    assert "successes = good; not used: (unnamed)" in flat(out)
    assert "4 cells (2 per cell)" in flat(out)


def test_conditions_are_shown(run, table):
    text = "system,task,condition,temp,success\n" + "".join(
        f"a,{t},{c},{h},{(t + h) % 2}\n" for t in (1, 2) for c in "xy" for h in (0, 1)
    )
    _, out, _ = run("analyze", table(text), "--condition", "condition", "--condition", "temp")
    assert "conditions   x / 0, x / 1, y / 0, y / 1; each system is fitted under each" in out
    assert "condition = condition / temp" in flat(out)
    assert "Conditions are the ones chosen here" in flat(out)
    _, out, _ = run("analyze", table(text), "--condition", "")
    assert "conditions   none named" in out
    assert "Conditions are the ones" not in flat(out)


def test_status_and_policy_are_shown(run, table):
    text = "system,task,success,status\na,1,1,ok\na,1,0,infra_error\na,2,0,ok\na,2,1,\n"
    path = table(text)
    assert "not used: status" in flat(run("analyze", path, "--status", "")[1])
    _, out, _ = run("analyze", path, "--status", "status", "--missing", "drop")
    assert "missing      1 outcome, left out (policy: drop)" in out
    _, out, _ = run("analyze", path, "--status", "status", "--missing", "failure")
    assert "missing      1 outcome, counted as failures (policy: failure)" in out


def test_missing_outcomes_need_a_policy(run, table):
    code, out, err = run("analyze", table("system,task,success\na,1,1\na,1,\n"))
    assert (code, out) == (1, "")
    assert "1 outcome of 2 is missing, first in row 1 (system 'a', task '1')" in err
    assert "with --missing: 'drop'" in err


def test_bounds_analyse_both_ends(run, table, tmp_path, plots):
    path = table("system,task,success\na,1,1\na,1,\na,2,0\na,2,1\n")
    code, out, _ = run("analyze", path, "--missing", "bounds", "--out", tmp_path / "o")
    assert code == 0
    low, high = out.split("counted as success ")
    assert "Missing outcomes counted as failure" in low
    assert "1 outcome, counted as failures" in low
    assert "1 outcome, counted as successes" in high
    rates = [
        pd.read_csv(tmp_path / "o" / f"missing-as-{end}" / "summary.csv")["mean"][0]
        for end in ("failure", "success")
    ]
    assert rates[0] < rates[1]
    assert [policy for _, policy, _ in plots] == ["failure"] * 3 + ["success"] * 3


def test_bounds_without_missing_outcomes_are_one_analysis(run, table):
    _, out, _ = run("analyze", table(ROWS), "--missing", "bounds")
    assert "counted as" not in out
    assert "missing      none came without an outcome" in out


def test_cells_and_systems_without_a_trial_are_reported(run, table):
    code, out, err = run("analyze", table("system,task,n,successes\na,1,3,1\na,2,0,0\nb,1,0,0\n"))
    assert code == 0
    assert err == "warning: Left out, because no trial of theirs is counted: b.\n"
    assert "excluded     2 cells without a counted trial" in out


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "r.csv", "the file is empty"),
        ("system,task,success\na,1\n", "r.csv", "line 2 has 2 fields, the header 3"),
        ("x", "r.xlsx", "the format is not clear from the name"),
        ("name,task,success\na,1,1\n", "r.csv", "say --system ''"),
    ],
)
def test_data_errors_are_one_line_without_traceback(run, table, content, name, message):
    code, out, err = run("analyze", table(content, name))
    assert (code, out) == (1, "")
    assert err.startswith("reliability-stats: error: ")
    assert err.count("\n") == 1
    assert message in err


def test_file_that_is_not_there(run, tmp_path):
    code, _, err = run("analyze", tmp_path / "none.csv")
    assert (code, err.count("\n")) == (1, 1)
    assert "none.csv: cannot be read: no such file or directory." in err


def test_copies_are_an_error_with_a_way_out(run, table):
    path = table("system,task,trial,success\na,1,0,1\na,1,0,1\n")
    code, _, err = run("analyze", path)
    assert code == 1
    assert "Rows 0 and 1 (counting from 0) are both system 'a', task '1', trial '0'" in err
    assert "with --condition, or say --trial '' if they are trials" in err
    assert run("analyze", path, "--trial", "")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("analyse",), "invalid choice"),
        (("analyze",), "FILE"),
        (("demo", "--k", "1"), "k must be an integer of at least 2, not '1'"),
        (("demo", "--k", "four"), "not 'four'"),
        (("demo", "--prob", "95"), "(did you mean 0.95?)"),
        (("demo", "--prob", "nan"), "prob must lie between 0 and 1"),
        (("demo", "--over", "all"), "invalid choice"),
        (("demo", "--figure-format", "png,gif"), "'gif' is none of png, pdf, svg"),
        (("analyze", "x.csv", "--missing", "ignore"), "invalid choice"),
    ],
)
def test_usage_errors(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_options_for_the_other_kind_of_table_are_usage_errors(run, table):
    path = table("system,task,n,successes\na,1,2,1\n")
    code, out, err = run("analyze", path, "--missing", "drop")
    assert (code, out) == (2, "")
    assert "--missing does not go with a table of one row a cell" in err


def test_unknown_dataset(run):
    for arguments in (("demo", "--dataset", "rat-tumours"), ("datasets", "rat-tumours")):
        code, _, err = run(*arguments)
        assert code == 1
        assert "did you mean 'rat-tumors'?" in err


def test_other_errors_are_not_swallowed(monkeypatch):
    def broken(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli, "_datasets", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["datasets"])


def test_interrupt(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_datasets", interrupt)
    assert run("datasets") == (130, "", "Interrupted.\n")


def test_warnings_of_the_package_come_once_and_others_keep_their_form(monkeypatch, capsys):
    def warn(*_):
        for _ in range(3):
            warnings.warn("mine", rs.ExclusionWarning, stacklevel=1)
        warnings.warn("theirs", RuntimeWarning, stacklevel=1)
        return 0

    others = []
    monkeypatch.setattr(cli, "_datasets", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always", RuntimeWarning)
        warnings.showwarning = lambda message, *_, **__: others.append(str(message))
        before = warnings.showwarning
        assert main(["datasets"]) == 0
        assert warnings.showwarning is before
    assert capsys.readouterr().err == "warning: mine\n"
    assert others == ["theirs"]


# ------------------------------------------------------------------ files and other commands


def test_files(run, tmp_path):
    out = tmp_path / "deep" / "folder"
    code, text, err = run("demo", "--out", out, "--prob", "0.9", "--over", "observed")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["summary.csv", "tasks.csv", *(f"{n}.{f}" for n in FIGURES for f in ("png", "pdf"))]
    )
    for name in FIGURES:
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (out / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    assert f"Wrote to {out}: summary.csv, tasks.csv, capability_reliability.png," in flat(text)
    post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    summary = pd.read_csv(out / "summary.csv")
    usual = post.summary(over="observed", prob=0.9)
    assert summary.columns.tolist() == usual.columns.tolist()
    assert summary["estimand"].tolist() == usual["estimand"].tolist()
    for name in ("mean", "lower", "upper"):
        np.testing.assert_allclose(summary[name], usual[name], rtol=1e-9)
    tasks = pd.read_csv(out / "tasks.csv")
    np.testing.assert_allclose(tasks["upper"], post.tasks(prob=0.9)["upper"], rtol=1e-9)


def test_figures_show_what_was_asked_for(run, tmp_path, plots):
    arguments = ("--prob", "0.9", "--over", "observed", "--out", tmp_path)
    assert run("demo", "--k", "3", *arguments)[0] == 0
    settings = {"over": "observed", "prob": 0.9, "systems": ["gpt-4o tool calling"]}
    assert [asked for _, _, asked in plots] == [
        {"k": 3, **settings},
        settings,
        {"prob": 0.9, "systems": settings["systems"]},
    ]
    plots.clear()
    assert run("demo", "--k", "9", *arguments)[0] == 0
    assert plots[1][2] == {"k_max": 9, **settings}


def test_curves_of_many_systems_take_several_files(run, table, tmp_path, plots):
    arguments = ("--out", tmp_path / "o", "--figure-format", "png")
    assert run("analyze", table(many(2, systems=14)), *arguments)[0] == 0
    names = {path.stem for path in (tmp_path / "o").glob("*.png")}
    assert names == {
        "capability_reliability",
        "pass_curves_1",
        "pass_curves_2",
        "pass_curves_3",
        "task_map",
    }
    shown = [asked["systems"] for name, _, asked in plots if name == "pass_curves"]
    assert [name for page in shown for name in page] == [f"s{i}" for i in range(14)]


def test_curves_of_very_many_systems_are_not_drawn(run, table, tmp_path, plots):
    arguments = ("--out", tmp_path / "o", "--figure-format", "png")
    code, out, err = run("analyze", table(many(2, systems=61)), *arguments)
    assert code == 0
    assert "pass_curves was not drawn: 61 systems would take 11 figures." in err
    assert {name for name, _, _ in plots} == {"capability_reliability", "task_map"}
    assert "pass_curves" not in out


def test_figures_are_closed_and_formats_chosen(run, tmp_path, plots):
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    assert run("demo", "--out", tmp_path, "--figure-format", "svg, PNG,svg")[0] == 0
    assert plt.get_fignums() == before
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".svg", ".png"}


def test_out_that_is_a_file(run, table):
    path = table("x", "results")
    code, out, err = run("demo", "--out", path)
    assert (code, out) == (1, "")
    assert str(path) in err


def test_datasets_are_listed(run):
    code, out, _ = run("datasets")
    assert code == 0
    for name in rs.datasets.available():
        assert repr(rs.datasets.describe(name)) in out
    _, out, _ = run("datasets", "rat-tumors")
    assert out == f"{rs.datasets.describe('rat-tumors')!r}\n"


def test_version_and_help(run):
    assert run("--version")[:2] == (0, f"reliability-stats {rs.__version__}\n")
    for arguments in (("--help",), ("analyze", "--help"), ("demo", "--help")):
        code, out, _ = run(*arguments)
        assert code == 0
        assert out.startswith("usage: reliability-stats")
    assert "reliability-stats analyze runs.csv" in run("--help")[1]


def shell(code, **options):
    return subprocess.run(
        [sys.executable, *code], capture_output=True, text=True, timeout=120, check=False, **options
    )


def test_module_runs_and_help_loads_nothing_heavy():
    result = shell(["-X", "importtime", "-m", "reliability_stats", "--help"])
    assert result.returncode == 0
    assert result.stdout.startswith("usage: reliability-stats")
    loaded = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    assert "argparse" in loaded
    assert not loaded & {"numpy", "pandas", "scipy", "matplotlib", "rich", "pymc"}


def test_a_closed_pipe_is_quiet():
    code = (
        "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1)\n"
        "from reliability_stats.cli import main\n"
        "sys.exit(main(['datasets']))"
    )
    result = shell(["-c", code])
    assert (result.returncode, result.stderr) == (141, "")


def test_through_a_pipe_there_is_no_style(tmp_path):
    result = shell(["-m", "reliability_stats", "demo"], cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert list(Path(tmp_path).iterdir()) == []


# ------------------------------------------------------------------ numbers in words


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (0.0, 0, "0%"),
        (1e-9, 0, "<1%"),
        (0.004, 0, "<1%"),
        (0.126, 0, "13%"),
        (0.996, 0, ">99%"),
        (1.0, 0, "100%"),
        (0.00004, 2, "<0.01%"),
        (0.99999, 2, ">99.99%"),
        (0.5, 1, "50.0%"),
    ],
)
def test_percent(value, places, text):
    assert findings.percent(value, places) == text


@pytest.mark.parametrize(
    ("sds", "expected"), [([0.05], 3), ([0.3, 0.0], 3), ([0.004], 4), ([4e-5, np.nan], 6), ([], 3)]
)
def test_digits_follow_the_posterior_sd(sds, expected):
    assert findings.decimals(pd.DataFrame({"sd": sds})) == expected


def test_report_is_written(run, table, tmp_path):
    file = tmp_path / "r.html"
    code, out, _ = run("analyze", table(ROWS), "--report", str(file))
    assert code == 0
    assert f"Wrote {file}" in out
    assert "What this report does not show" in file.read_text(encoding="utf-8")


def test_report_of_no_known_kind(run, table, tmp_path):
    code, _, err = run("analyze", table(ROWS), "--report", str(tmp_path / "r.doc"))
    assert code == cli.DATA_ERROR
    assert "path must end in .html, .md or .tex" in err

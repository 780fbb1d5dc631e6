"""JUnit XML."""

import sys

import pytest

from reliability_stats.exceptions import (
    ExclusionWarning,
    ReliabilityStatsWarning,
    TrialDataError,
)
from reliability_stats.read._report import read_report
from reliability_stats.read.junit import read_junit

pytest.importorskip("defusedxml")


def suite(*cases, tests=None, name="ci"):
    number = "" if tests is None else f' tests="{tests}"'
    return f'<testsuites><testsuite name="{name}"{number}>{"".join(cases)}</testsuite></testsuites>'


def case(name, child="", cls="c"):
    return f'<testcase classname="{cls}" name="{name}">{child}</testcase>'


def counts(trials):
    frame = trials.counts.to_frame()
    return dict(zip(frame["task"], zip(frame["n"], frame["successes"], strict=True), strict=True))


def test_two_runs_of_pytest(samples):
    trials = read_junit([samples / "junit" / "s1.xml", samples / "junit" / "s2.xml"])
    assert trials.systems == ("pytest",)
    assert counts(trials) == {
        "test_flaky::test_task[a]": (2, 1),
        "test_flaky::test_task[b]": (2, 0),
        "test_flaky::test_task[c]": (2, 1),
    }
    assert trials.to_frame()["time"].notna().all()


def test_pytest_repeat(samples):
    trials = read_junit(samples / "junit" / "c.xml")
    assert trials.counts.n.tolist() == [4, 4, 4]
    # The suite says tests="12" failures="7".
    assert int(trials.counts.successes.sum()) == 12 - 7


def test_pytest_rerunfailures(samples):
    file = samples / "junit" / "r.xml"
    with (
        pytest.warns(ReliabilityStatsWarning, match="6 cases were run again after a failure"),
        pytest.warns(ExclusionWarning, match="1 tests expected to fail"),
    ):
        trials = read_junit(file, missing="drop")
    assert counts(trials) == {
        "test_flaky::test_task[a]": (3, 1),
        "test_flaky::test_task[b]": (1, 1),
        "test_flaky::test_task[c]": (2, 1),
    }
    report = read_report(trials)
    assert report.kept["infra_error", "unknown"] == 4
    assert report.kept["missing", "unknown"] == 1
    assert report.n_records == 12


def test_names_that_only_look_like_repeats(write):
    file = write("r.xml", suite(case("t[1-4]"), case("t[2-4]"), case("u[a-1-1]")))
    assert counts(read_junit(file)) == {
        "c::t[1-4]": (1, 1),
        "c::t[2-4]": (1, 1),
        "c::u[a-1-1]": (1, 1),
    }
    whole = write("w.xml", suite(*(case(f"t[{k}-3]") for k in (1, 2, 3))))
    assert counts(read_junit(whole)) == {"c::t": (3, 3)}


def test_what_equal_cases_are(write):
    equal = (case("t"), case("t"), case("t", "<failure/>"))
    independent = write("i.xml", suite(*equal, tests=3))
    assert counts(read_junit(independent)) == {"c::t": (3, 2)}
    unclear = write("u.xml", suite(*equal))
    with pytest.raises(TrialDataError, match=r"3 cases have 1 names, .* states no number"):
        read_junit(unclear)
    assert counts(read_junit(unclear, repeats="independent")) == {"c::t": (3, 2)}
    with pytest.warns(ReliabilityStatsWarning, match="run again"):
        assert counts(read_junit(unclear, repeats="until_success")) == {"c::t": (3, 0)}


def test_outcomes(write):
    file = write("r.xml", suite(case("a"), case("b", "<failure message='no'/>"),
                                case("c", "<error message='OSError'/>"), case("d", "<skipped/>"),
                                case("e", "<system-out>x</system-out>")))  # fmt: skip
    with pytest.raises(TrialDataError, match=r"1 infra_error, 1 missing.*'c::c'.*\(OSError\)"):
        read_junit(file)
    assert read_report(read_junit(file, missing="drop")).kept == {
        ("ok", "failure"): 1,
        ("ok", "success"): 2,
        ("infra_error", "unknown"): 1,
        ("missing", "unknown"): 1,
    }


ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [ENTITIES, OUTSIDE])
def test_entities_are_refused(write, head):
    with pytest.raises(TrialDataError, match="refused, because it declares entities"):
        read_junit(write("r.xml", head + suite(case("&a;"))))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<testsuite><testcase name='a'", "line 1, column .*not XML"),
        ("", "not XML"),
        ("<html/>", "the root is <html>"),
        (suite(), "No JUnit record|does not name the system"),
        (suite(case("")), "there is no name"),
        (b"<?xml version='1.0' encoding='nope'?><testsuite/>", "not XML"),
    ],
)
def test_broken_files(write, text, message):
    with pytest.raises(TrialDataError, match=message):
        read_junit(write("r.xml", text))


def test_the_system_may_be_named(write):
    assert read_junit(write("r.xml", suite(case("a"))), system="branch").systems == ("branch",)


def test_without_defusedxml_the_extra_is_named(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "defusedxml.ElementTree", None)
    with pytest.raises(ImportError, match=r"reliability_stats\[junit\]"):
        read_junit(write("r.xml", suite(case("a"))))

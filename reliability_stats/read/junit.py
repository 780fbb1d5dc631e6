"""JUnit XML of repeated test runs: flaky tests as tasks."""

from __future__ import annotations

import importlib
import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._counts import plural
from .._validation import check_choice
from ..exceptions import MissingExtraError, ReliabilityStatsWarning, TrialDataError
from ..trials import Trials
from ._fields import moment
from ._files import MAX_BYTES, Paths, read_bytes
from ._records import Named, Reading

COUNTED = re.compile(r"(?P<stem>.*[\[-])(?P<k>[0-9]{1,9})-(?P<n>[0-9]{1,9})\]", re.DOTALL)
REPEATS = ("auto", "until_success", "independent")
ROOTS = ("testsuites", "testsuite")


@dataclass
class Case:
    """One test case of a file."""

    name: str
    kind: str
    error: str | None = None
    trial: str | None = None


def recognise(root: str) -> bool:
    """Say whether the root tag of an XML file is of this format."""
    return root in ROOTS


def read_junit(
    path: Paths,
    *,
    system: Named = None,
    repeats: str = "auto",
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read JUnit XML, as pytest and most test runners write it; needs the extra `junit`.

    Each file is one run of the tests, and each test case a task. A failure is a failure; an error
    comes from set-up or tear-down and is an infrastructure error; a skipped test is missing;
    expected failures are left out with a warning. Cases named "test[a-1-4]" to "test[a-4-4]", as
    pytest-repeat writes them, are four trials of "test[a]".

    Equal cases in one file are reruns after a failure (pytest-rerunfailures), which leaves no sign
    of the failure: of k equal cases the last says what came of it, and the others failed, or broke
    if the last did. As a test is then run until it passes, its share of successes is too high on
    average, though its likelihood is right: a warning says so.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with .xml files, or glob pattern.
    system : str or callable of a path, optional
        Name of the system under test; by default the name of the first test suite.
    repeats : {"auto", "until_success", "independent"}, default "auto"
        What equal cases in one file are: reruns until success, or independent trials. By default
        the suite's number of tests decides, if it counts each test once or each case.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a case whose system, test and trial occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a case without a name.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        Tasks are called "class::test". With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file is not JUnit XML, defines entities, leaves open what equal cases are, or outcomes
        are unknown without a policy.
    ArgumentError
        If an argument is not allowed.
    ImportError
        If defusedxml is not installed.

    Warns
    -----
    ExclusionWarning
        If tests were expected to fail.
    ReliabilityStatsWarning
        If tests were rerun until they passed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> case = '<testsuite name="ci"><testcase classname="c" name="t">{}</testcase></testsuite>'
    >>> for i, child in enumerate(("", "<failure/>")):
    ...     _ = (folder / f"run{i}.xml").write_text(case.format(child))
    >>> read_junit(folder).counts.to_frame()
      system  task  n  successes
    0     ci  c::t  2          1
    """
    check_choice(repeats, REPEATS, "repeats")
    reading = Reading(
        "JUnit",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    reruns = 0
    for file in reading.files("*.xml"):
        root = parse_xml(reading, file)
        suites = [suite for suite in root.iter("testsuite") if suite.find("testcase") is not None]
        name = reading.system(file, system, next((s.get("name") for s in suites), None) or None)
        cases = enumerate(root.iter("testcase"))
        found = _repeat_plugin([_case(reading, file, i, case) for i, case in cases])
        reruns += _settle(file, found, suites, repeats)
        time = next((moment(suite.get("timestamp")) for suite in suites), None)
        _add(reading, file, name, found, time)
    if reruns:
        reading.choose(f"{plural(reruns, 'rerun')} after a failure: tests were run until success")
        warnings.warn(
            f"{plural(reruns, 'case')} were run again after a failure until success. A test's "
            "share of successes is then too high on average, and its interval is off; the "
            "likelihood of a model is right.",
            ReliabilityStatsWarning,
            stacklevel=2,
        )
    return reading.trials()


def parse_xml(reading: Reading, file: Path) -> Any:
    """Parse XML without entities, external or declared, and check the root."""
    try:
        tree: Any = importlib.import_module("defusedxml.ElementTree")
        common: Any = importlib.import_module("defusedxml.common")
    except ImportError:
        raise MissingExtraError(
            f"{file}: XML is read with defusedxml: pip install 'reliability_stats[junit]'."
        ) from None
    reading.read[file] = None
    data = read_bytes(file, reading.max_bytes)
    try:
        root = tree.fromstring(data)
    except common.DefusedXmlException as error:
        raise TrialDataError(
            f"{file}: refused, because it declares entities ({type(error).__name__})."
        ) from None
    except tree.ParseError as error:
        line, column = error.position
        raise TrialDataError(f"{file}, line {line}, column {column}: not XML ({error}).") from None
    except (ValueError, LookupError) as error:
        raise TrialDataError(f"{file}: not XML ({error}).") from None
    if root.tag not in ROOTS:
        raise TrialDataError(f"{file}: no log of JUnit: the root is <{root.tag}>.")
    return root


def _case(reading: Reading, file: Path, i: int, case: Any) -> Case | None:
    """Take name and outcome of one test case; None if it is malformed."""
    name = case.get("name")
    if not name or not name.strip():
        reading.bad(file, f"testcase {i}", "there is no name")
        return None
    full = f"{case.get('classname')}::{name}" if case.get("classname") else name
    children = {child.tag: child for child in reversed(list(case))}
    for tag, kind in (("error", "infra_error"), ("failure", "failure"), ("skipped", "missing")):
        if tag in children:
            child = children[tag]
            xfail = tag == "skipped" and child.get("type") == "pytest.xfail"
            return Case(full, "expected" if xfail else kind, child.get("message"))
    return Case(full, "success")


def _repeat_plugin(cases: list[Case | None]) -> list[Case]:
    """Join the cases of pytest-repeat: complete sets of "name[...-k-n]" from 1 to n."""
    kept = [case for case in cases if case is not None]
    sets: dict[tuple[str, int], list[tuple[int, Case]]] = defaultdict(list)
    for case in kept:
        match = COUNTED.fullmatch(case.name)
        if match:
            sets[match["stem"], int(match["n"])].append((int(match["k"]), case))
    for (stem, n), members in sets.items():
        if n > 1 and {k for k, _ in members} == set(range(1, n + 1)):
            for k, case in members:
                case.name = stem[:-1] if stem.endswith("[") else f"{stem[:-1]}]"
                case.trial = str(k)
    return kept


def _settle(file: Path, cases: list[Case], suites: list[Any], repeats: str) -> int:
    """Give outcomes to equal cases, and the number of reruns."""
    groups: dict[tuple[str, str | None], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.name, case.trial].append(case)
    several = [group for group in groups.values() if len(group) > 1]
    if not several:
        return 0
    if repeats == "auto":
        repeats = _by_number(file, len(groups), len(cases), suites)
    reruns = 0
    for group in several:
        for i, case in enumerate(group):
            again = f"rerun {i}" if repeats == "until_success" else f"case {i}"
            case.trial = again if case.trial is None else f"{case.trial}, {again}"
            if repeats == "until_success" and i < len(group) - 1:
                reruns += 1
                last = group[-1].kind
                case.kind = last if last in ("infra_error", "expected") else "failure"
    return reruns


def _by_number(file: Path, tests: int, cases: int, suites: list[Any]) -> str:
    """Work out what equal cases are from the number of tests that the suites state."""
    stated = [suite.get("tests") for suite in suites]
    numbers = [int(one) for one in stated if one and one.isdigit() and len(one) < 10]
    total = sum(numbers) if len(numbers) == len(suites) else None
    if total == tests:
        return "until_success"
    if total == cases:
        return "independent"
    raise TrialDataError(
        f"{file}: {cases} cases have {tests} names, and the suite states "
        f"{'no number' if total is None else total} of tests. Say what equal cases are: "
        "repeats='until_success' (reruns after a failure) or 'independent'."
    )


def _add(reading: Reading, file: Path, system: str, cases: list[Case], time: Any) -> None:
    """Add the cases of one file."""
    seen: Counter[str] = Counter()
    for case in cases:
        if case.kind == "expected":
            reading.leave_out("tests expected to fail")
            continue
        seen[case.name] += 1
        known = case.kind in ("success", "failure")
        reading.add(
            file,
            f"testcase {case.name!r}",
            system=system,
            task=case.name,
            trial=f"{file}: {case.trial or ''}",
            success=case.kind == "success" if known else None,
            status="ok" if known else case.kind,
            error=case.error,
            time=time,
        )

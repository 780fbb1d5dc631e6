"""Whatever the format, the order, the files, the library and the policy: all records add up."""

import warnings

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reliability_stats as rs
from reliability_stats.exceptions import ReliabilityStatsError
from reliability_stats.read import read_report
from tests.read.formats import FORMATS, NO_COPIES, ONE_FILE_A_TRIAL, read_back

UNKNOWN = {"infra_error": "errored", "grader_error": "errored", "missing": "missing"}
EXAMPLES = [3, pytest.param(30, marks=pytest.mark.slow)]


def examples(number):
    """Give settings for a number of examples, the same at every run."""
    health = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=number, deadline=None, derandomize=True, suppress_health_check=health
    )


def records_of(kinds, *, copies=True):
    """Give lists of (kind, system, task, trial)."""
    one = st.tuples(st.sampled_from(kinds), *(st.integers(0, most) for most in (1, 2, 2)))
    unique = None if copies else (lambda record: record[1:])
    return st.lists(one, min_size=1, max_size=20, unique_by=unique)


def expected(records, keep):
    """Count by hand what the account should say."""
    kept, account = {}, {"duplicate": 0, "malformed": 0}
    for kind, *key in records:
        if kind == "malformed":
            account["malformed"] += 1
            continue
        account["duplicate"] += tuple(key) in kept
        if tuple(key) not in kept or keep == "last":
            kept[tuple(key)] = kind
    for kind in kept.values():
        category = UNKNOWN.get(kind, "counted")
        account[category] = account.get(category, 0) + 1
    return {name: n for name, n in account.items() if n}, list(kept.values())


def account_of(trials):
    """Sum the account by category."""
    table = trials.report()
    return table.groupby("category")["records"].sum().to_dict()


def quietly(function, *args, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ReliabilityStatsWarning)
        return function(*args, **more)


def agrees(trials, kinds, policy):
    """Check what is counted against the kinds of the records kept."""
    wins, losses = kinds.count("success"), kinds.count("failure") + kinds.count("agent_failure")
    unknown = len(kinds) - wins - losses
    assert trials.n_missing == unknown
    assert int(trials.counts.successes.sum()) == wins
    assert trials.n_trials == wins + losses + (unknown if policy == "failure" else 0)
    if policy == "bounds":
        worst, best = (quietly(trials.complete, side) for side in ("failure", "success"))
        assert int(worst.counts.successes.sum()) == wins
        assert int(best.counts.successes.sum()) == wins + unknown
        assert worst.n_trials == best.n_trials == len(kinds)


@pytest.mark.parametrize("number", EXAMPLES)
@pytest.mark.parametrize("name", FORMATS)
def test_every_reader_adds_up(name, number, tmp_path_factory):
    form = FORMATS[name]

    @examples(number)
    @given(
        records=records_of(form.kinds, copies=name not in NO_COPIES),
        cuts=st.integers(1, 1 if name in ONE_FILE_A_TRIAL else 3),
        keep=st.sampled_from(["first", "last"]),
        policy=st.sampled_from(["drop", "failure", "bounds"]),
    )
    def check(records, cuts, keep, policy):
        folder = tmp_path_factory.mktemp(name)
        for system in (0, 1):
            own = [(kind, *key) for kind, one, *key in records if one == system]
            size = -(-len(own) // cuts) or 1
            for i in range(0, len(own), size):
                form.write(folder, f"s{system}-{i // size}", own[i : i + size])
        account, kinds = expected(records, "last" if name in NO_COPIES else keep)
        more = {"missing": policy, "on_duplicate": keep, "malformed": "skip"}
        known = [kind for kind in kinds if kind not in UNKNOWN]
        if not (kinds if policy == "failure" else known):
            with pytest.raises(ReliabilityStatsError):
                quietly(read_back, name, folder, **more)
            return
        trials = quietly(read_back, name, folder, **more)
        assert account_of(trials) == account
        assert read_report(trials).n_records == len(records)
        agrees(trials, kinds, policy)

    check()


def frames(rows):
    """Give the rows in every frame library that is installed."""
    made = {"pandas": pd.DataFrame(rows).astype({"success": "Float64"})}
    try:
        import polars as pl

        made["polars"] = pl.DataFrame(rows, infer_schema_length=None)
        made["polars, lazy"] = made["polars"].lazy()
    except ImportError:
        pass
    try:
        import pyarrow as pa

        made["pyarrow"] = pa.Table.from_pandas(made["pandas"], preserve_index=False)
    except ImportError:
        return made
    try:
        import duckdb

        made["duckdb"] = duckdb.from_arrow(made["pyarrow"])
    except ImportError:
        pass
    return made


KINDS = ("success", "failure", "agent_failure", "infra_error", "grader_error", "missing")


@pytest.mark.parametrize("number", EXAMPLES)
def test_every_library_and_order_adds_up(number):
    @examples(number)
    @given(
        records=records_of(KINDS, copies=False),
        policy=st.sampled_from(["drop", "failure", "bounds"]),
        data=st.data(),
    )
    def check(records, policy, data):
        shuffled = data.draw(st.permutations(records))
        account, kinds = expected(records, "first")
        found = {}
        for order in (records, shuffled):
            rows = [
                {
                    "system": f"s{system}",
                    "task": f"t{task}",
                    "trial": trial,
                    "success": {"success": 1.0, "failure": 0.0}.get(kind),
                    "status": "ok" if kind in ("success", "failure") else kind,
                }
                for kind, system, task, trial in order
            ]
            for name, frame in frames(rows).items():
                more = {"trial": "trial", "status": "status", "missing": policy}
                known = [kind for kind in kinds if kind not in UNKNOWN]
                if not (kinds if policy == "failure" else known):
                    with pytest.raises(ReliabilityStatsError):
                        quietly(rs.Trials.from_frame, frame, **more)
                    continue
                trials = quietly(rs.Trials.from_frame, frame, **more)
                found[trials.fingerprint] = name
                assert account_of(trials) == account
                agrees(trials, kinds, policy)
        assert len(found) <= 1

    check()

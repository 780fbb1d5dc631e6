import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from reliability_stats._counts import listed
from reliability_stats.exceptions import TrialDataError
from reliability_stats.trials import Counts, DistinctCounts

ARRAYS = ("system", "task", "n", "successes", "missing")


def make(**changes):
    """Make counts of two systems and two tasks, with one cell not there."""
    fields = {
        "systems": ("a", "b"),
        "tasks": ("t1", "t2"),
        "conditions": (),
        "system": [0, 0, 1],
        "task": [0, 1, 1],
        "condition": None,
        "n": [3, 3, 5],
        "successes": [3, 0, 2],
        "missing": [0, 0, 1],
    }
    return Counts(**(fields | changes))


def with_conditions(**changes):
    fields = {
        "conditions": ("x", "y"),
        "system": [0, 0, 1],
        "condition": [0, 1, 1],
        "task": [0, 1, 1],
    }
    return make(**(fields | changes))


def test_sizes_and_words():
    counts = make()
    assert (counts.n_systems, counts.n_tasks, counts.n_cells) == (2, 2, 3)
    assert repr(counts) == (
        "Counts: 2 systems x 2 tasks, 11 trials in 3 cells (3 to 5 per cell), 5 successes"
    )
    assert counts.cell_name(2) == "system 'b', task 't2'"
    assert counts.units == ("a", "b")
    assert counts.unit.tolist() == [0, 0, 1]


def test_conditions():
    counts = with_conditions()
    assert "2 systems x 2 tasks x 2 conditions" in repr(counts)
    assert counts.cell_name(1) == "system 'a', task 't2', condition 'y'"
    assert counts.units == ("a [x]", "a [y]", "b [y]")
    assert counts.unit.tolist() == [0, 1, 2]
    assert counts.to_frame()["condition"].tolist() == ["x", "y", "y"]


def test_frame():
    frame = make().to_frame()
    expected = pd.DataFrame(
        {
            "system": ["a", "a", "b"],
            "task": ["t1", "t2", "t2"],
            "n": [3, 3, 5],
            "successes": [3, 0, 2],
            "missing": [0, 0, 1],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)
    frame["n"] = 0
    assert make().n.tolist() == [3, 3, 5]
    assert "missing" not in make(missing=[0, 0, 0]).to_frame()


def test_arrays_are_read_only_copies():
    n = np.array([3, 3, 5])
    counts = make(n=n)
    n[0] = 100
    assert counts.n.tolist() == [3, 3, 5]
    for values in (*(getattr(counts, name) for name in ARRAYS), counts.unit):
        assert values.dtype == np.int64
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1


def test_view_of_a_writable_array_is_copied():
    base = np.array([3, 3, 5])
    view = base[:]
    view.setflags(write=False)
    counts = make(n=view)
    base[0] = 100
    assert counts.n.tolist() == [3, 3, 5]


@pytest.mark.parametrize("counts", [make(), with_conditions()])
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_copies_are_equal_and_read_only(counts, again):
    other = again(counts)
    assert other == counts
    assert hash(other) == hash(counts)
    assert not other.n.flags.writeable
    assert not again(counts.distinct()).n.flags.writeable


@pytest.mark.parametrize(
    "changes",
    [
        {"systems": ("a", "c")},
        {"n": [3, 3, 6]},
        {"successes": [3, 1, 2]},
        {"missing": [0, 0, 0]},
        {"task": [0, 1, 0]},
        {"conditions": ("x",), "condition": [0, 0, 0]},
    ],
)
def test_any_difference_makes_them_unequal(changes):
    assert make(**changes) != make()


def test_counts_are_not_equal_to_other_things():
    assert make() != make().to_frame().to_dict()
    assert make() != 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": [3, 3, 0]}, "n must be at least 1, but system 'b', task 't2' has n=0"),
        ({"successes": [3, 0, -1]}, "successes must not be negative, but system 'b', task 't2'"),
        (
            {"successes": [4, 0, 2]},
            "successes must not exceed n, but system 'a', task 't1' has n=3, successes=4",
        ),
        ({"missing": [0, -1, 0]}, "missing must not be negative, but system 'a', task 't2'"),
        ({"n": [3.5, 3, 5]}, r"n must hold integers, not 3\.5"),
        ({"n": [3, np.nan, 5]}, "n must hold integers, not nan"),
        ({"n": [3, np.inf, 5]}, "n must hold integers, not inf"),
        ({"n": ["3", "3", "5"]}, "n must hold integers, not 3"),
        ({"successes": [True, False, True]}, "successes must hold integers, not True"),
        ({"n": [3, 3, 10**30]}, "n must hold integers"),
        (
            {"n": np.array([3, 3, 2**63], np.uint64)},
            "n must hold integers, not 9223372036854775808",
        ),
        ({"n": [2**62, 2**62, 5]}, "more than 2\\*\\*62 trials in total"),
        ({"n": [3, 3]}, r"one length, but have shapes .*'n': \(2,\)"),
        ({"n": [[3, 3, 5]]}, r"1-D"),
        ({name: [] for name in ARRAYS}, "not a single trial is counted"),
        ({"system": [0, 0, 2]}, "system must hold positions in the 2 system labels"),
        ({"task": [0, -1, 1]}, "task must hold positions in the 2 task labels"),
        ({"systems": ("a", "b", "c")}, "system 'c' has no cell"),
        ({"systems": ("a", "a")}, "system labels must be distinct"),
        ({"systems": "ab"}, "systems must be labels that are text, not 'ab'"),
        ({"tasks": (1, 2)}, "tasks must be labels that are text"),
        (
            {"task": [1, 0, 1]},
            r"sorted by system, condition, task, but cell 1 \(system 'a', task 't1'\)",
        ),
        ({"task": [1, 1, 0]}, r"distinct and sorted .* cell 1"),
        (
            {
                "tasks": ("t1", "t2", "t3"),
                "system": [0, 0, 0],
                "task": [0, 2, 1],
                "systems": ("a",),
            },
            "but cell 2",
        ),
        ({"conditions": ("x",)}, "conditions and condition must be given together"),
        ({"condition": [0, 0, 0]}, "conditions and condition must be given together"),
        ({"conditions": ("x", "y"), "condition": [0, 0, 0]}, "condition 'y' has no cell"),
    ],
)
def test_contradictions(changes, message):
    with pytest.raises(TrialDataError, match=message):
        make(**changes)


def test_units_must_be_told_apart():
    with pytest.raises(TrialDataError, match="both written the same way"):
        with_conditions(
            systems=("a", "a [x]"), conditions=("x] [y", "y"), system=[0, 1, 1], condition=[0, 0, 1]
        )


def test_distinct():
    rng = np.random.default_rng(0)
    n = rng.integers(1, 4, 300)
    successes = rng.integers(0, n + 1)
    counts = Counts(
        tuple("abc"),
        tuple(map(str, range(100))),
        (),
        np.repeat(range(3), 100),
        np.tile(range(100), 3),
        None,
        n,
        successes,
        np.zeros(300, int),
    )
    distinct = counts.distinct()
    rows = list(zip(counts.unit.tolist(), n.tolist(), successes.tolist(), strict=True))
    expected = sorted(set(rows))
    assert (
        list(
            zip(*(x.tolist() for x in (distinct.unit, distinct.n, distinct.successes)), strict=True)
        )
        == expected
    )
    assert distinct.multiplicity.tolist() == [rows.count(row) for row in expected]
    assert [expected[i] for i in distinct.row_of_cell] == rows
    assert len(distinct) == len(expected)
    assert repr(distinct) == f"DistinctCounts: {len(expected)} rows for 300 cells"


def test_distinct_counts_are_read_only():
    distinct = DistinctCounts([0], [2], [1], [3], [0, 0, 0])
    for name in ("unit", "n", "successes", "multiplicity", "row_of_cell"):
        assert not getattr(distinct, name).flags.writeable


def test_html_is_escaped_and_short():
    counts = with_conditions(
        systems=("<script>alert('s')</script>", "b"), tasks=("t1&" + "x" * 5000, "t2")
    )
    html = counts._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(&#x27;s&#x27;)" in html
    assert "t1&amp;xx" in html
    assert "x" * 80 not in html
    assert "conditions" in html


def test_listed():
    names = tuple("abcdefg")
    assert listed(names[:6]) == "a, b, c, d, e, f"
    assert listed(names) == "a, b, c, d, e, f, and 1 more"
    assert listed(names, 7) == "a, b, c, d, e, f, g"
    assert listed(("x" * 80, "y" * 81)) == f"{'x' * 80}, {'y' * 77}..."


def test_html_of_many_labels():
    html = make(
        tasks=tuple(f"t{i}" for i in range(10)),
        system=[0] * 9 + [1],
        task=range(10),
        n=[1] * 10,
        successes=[1] + [0] * 9,
        missing=[0] * 10,
    )._repr_html_()
    assert "t5, and 4 more" in html
    assert "1 success<" in html

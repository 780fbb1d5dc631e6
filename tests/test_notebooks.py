"""Results are at ease in notebooks: HTML with names as text, and few names after a dot."""

from __future__ import annotations

import pytest

import reliability_stats as rs
from reliability_stats.leaderboard import Leaderboard, bounds, reconstruct
from reliability_stats.planning import sequential_verdict, trials_needed

NAME, OTHER = "<script>x</script> & co, 1", "<b>y</b>"
SIZE = 25


def counts(*names):
    rows = [
        (name, f"<i>{t}</i>", 4, (t + i) % 5) for i, name in enumerate(names) for t in range(SIZE)
    ]
    columns = zip(*rows, strict=True)
    keys = ("system", "task", "n", "successes")
    return rs.Trials.from_counts({key: list(c) for key, c in zip(keys, columns, strict=True)})


@pytest.fixture(scope="module")
def results():
    trials = counts(NAME, OTHER)
    post = rs.fit(trials)
    one = rs.fit(trials.select(systems=NAME))
    ladder = {
        "system": [NAME] * 2,
        "benchmark": [OTHER] * 2,
        "metric": ["pass^1", "pass^2"],
        "value": ["0.50", "0.40"],
        "n_tasks": [10, 10],
        "n_trials": [2, 2],
    }
    board = Leaderboard.from_frame(ladder)
    claim = rs.claim(one, rs.PassHatK(4))
    return {
        "trials": trials,
        "counts": trials.counts,
        "posterior": post,
        "leaderboard": board,
        "reconstruction": reconstruct(board),
        "bounds": bounds(board, rs.PassHatK(2)),
        "claim": claim,
        "check": claim.check(trials),
        "failed check": claim.check(counts(NAME, OTHER, "z").select(systems=NAME)),
        "plan": rs.plan(one, tasks=5, trials=2, simulations=5),
        "contest": trials_needed(post, NAME, OTHER, rs.SuccessRate(), tasks=5, trials=2),
        "verdict": sequential_verdict([1, 0, 1], 0.5),
        "comparison": rs.compare(post, rs.PassHatK(2)),
        "ranking": rs.rank(post, rs.PassHatK(2)),
        "flags": rs.flag_flicker(post),
        "exchangeability": rs.exchangeability(
            rs.Trials.from_array([[[1, 0], [0, 1]]], systems=[NAME])
        ),
        "dataset": rs.datasets.describe("researchgym"),
        "next trials": rs.next_trials(post, 10),
        "floor": rs.noise_floor(0.5, n_tasks=10),
    }


KINDS = (
    *("trials", "counts", "posterior", "leaderboard", "reconstruction", "bounds", "claim", "check"),
    *("failed check", "plan", "contest", "verdict", "comparison", "ranking", "flags"),
    *("exchangeability", "dataset", "next trials", "floor"),
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::reliability_stats.ReliabilityStatsWarning")
def test_html_shows_names_as_text(results, kind):
    html = results[kind]._repr_html_()
    assert html.lstrip().startswith("<")
    for raw in ("<script>x", "<b>y", "<i>0"):
        assert raw not in html


@pytest.mark.parametrize(
    "kind", ["leaderboard", "claim", "check", "plan", "contest", "verdict", "comparison", "ranking"]
)
@pytest.mark.filterwarnings("ignore::reliability_stats.ReliabilityStatsWarning")
def test_few_names_follow_a_dot(results, kind):
    names = [name for name in dir(results[kind]) if not name.startswith("_")]
    assert 2 <= len(names) <= 32
    for name in names:
        getattr(results[kind], name)


@pytest.mark.filterwarnings("ignore::reliability_stats.ReliabilityStatsWarning")
def test_a_recovered_table_offers_its_own_methods(results):
    assert {"trials", "histograms", "ranges", "left_out"} <= set(dir(results["reconstruction"]))

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection, PolyCollection

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError
from reliability_stats.plots import task_map, task_map_data

STATES = ("persistent", "flickering", "not yet shown")


def fit(outcomes, **names):
    return rs.fit(rs.Trials.from_array(outcomes, **names))


def test_data_are_the_cells_by_falling_mean(three):
    data = task_map_data(three, low=0.2, high=0.8, prob=0.5, systems=["steady", "narrow"])
    cells = three.tasks(low=0.2, high=0.8, prob=0.5).set_index(["system", "task"])
    assert list(dict.fromkeys(data["system"])) == ["steady", "narrow"]
    assert len(data) == 120
    for _, part in data.groupby("system"):
        assert (np.diff(part["mean"]) <= 0).all()
    rows = cells.loc[list(zip(data["system"], data["task"], strict=True))]
    for column in ("n", "successes", "mean", "lower", "upper", "p_flickering", "p_persistent"):
        np.testing.assert_array_equal(data[column], rows[column])


def test_states_are_the_most_probable_and_undetermined_below_the_bar(tau):
    data = task_map_data(tau, decide=0.9)
    chances = data[["p_persistent", "p_flickering", "p_not_shown"]].to_numpy()
    best = np.array(STATES)[chances.argmax(axis=1)]
    assert (data["likely"] == best).all()
    sure = chances.max(axis=1) >= 0.9
    assert (data["state"] == np.where(sure, best, "undetermined")).all()
    by_count = data.groupby("successes")["state"].first()
    assert by_count.tolist() == ["undetermined"] * 2 + ["flickering"] * 2 + ["undetermined"]
    assert (task_map_data(tau, decide=0)["state"] != "undetermined").all()


def test_one_system_is_drawn_task_by_task(tau, shown):
    ax = task_map(tau)
    data = task_map_data(tau)
    means = [c for c in ax.collections if isinstance(c, PathCollection)]
    assert {c.get_label() for c in means} == {"flickering", "_flickering", "_not yet shown"}
    drawn = np.concatenate([c.get_offsets() for c in means])
    drawn = drawn[np.argsort(drawn[:, 1])]
    np.testing.assert_array_equal(drawn[:, 0], data["mean"])
    assert [text.get_text() for text in ax.get_yticklabels()] == data["task"].tolist()
    assert ax.yaxis_inverted()
    texts = shown(ax)
    assert "flickering (0.1 < p < 0.9): 10" in texts
    assert "undetermined, open (none reaches 95%): 40" in texts
    assert "persistent (p ≥ 0.9): 0" in texts
    assert tau.systems[0] in texts


def test_undetermined_markers_are_open(tau):
    ax = task_map(tau)
    for points in ax.collections:
        if isinstance(points, PathCollection):
            is_open = tuple(points.get_facecolor()[0][:3]) == (1.0, 1.0, 1.0)
            assert is_open == points.get_label().startswith("_")


def test_several_systems_are_drawn_as_tiles(three, shown):
    ax = task_map(three)
    data = task_map_data(three)
    tiles = {c.get_label(): c for c in ax.collections if isinstance(c, PolyCollection)}
    assert set(tiles) == set(STATES)
    for state, collection in tiles.items():
        part = data[data["likely"] == state]
        heights = [np.ptp(path.vertices[:, 1]) for path in collection.get_paths()]
        assert len(heights) == len(part)
        assert (np.array(heights) > 0.5).sum() == (part["state"] == state).sum()
    rows = [text.get_text() for text in ax.get_yticklabels()]
    means = data.groupby("system")["mean"].mean()
    assert rows == means.sort_values(ascending=False).index.tolist()
    assert ax.get_xlabel() == "task, of 60 by mean over systems"
    counts = data["state"].value_counts()
    assert f"persistent (p ≥ 0.9): {counts['persistent']}" in shown(ax)


def test_cells_not_run_are_marked_and_counted(shown):
    rng = np.random.default_rng(0)
    outcomes = (rng.random((3, 8, 5)) < 0.5).astype(float)
    outcomes[1, 2:5] = np.nan
    ax = task_map(fit(outcomes))
    crosses = [c for c in ax.collections if c.get_label() == "_not run"]
    assert len(crosses[0].get_offsets()) == 3
    assert "not run: 3" in shown(ax)


def test_conditions_are_kept_apart():
    frame = {
        "system": ["a"] * 4,
        "task": [1, 2, 1, 2],
        "setting": ["hot", "hot", "cold", "cold"],
        "n": [4] * 4,
        "successes": [4, 2, 0, 1],
    }
    post = rs.fit(rs.Trials.from_counts(frame, condition="setting"))
    data = task_map_data(post)
    assert set(data["system"]) == {"a [hot]", "a [cold]"}
    assert task_map_data(post, systems="a [hot]")["successes"].tolist() == [4, 2]
    assert len(task_map(post).get_yticklabels()) == 2


def test_many_tasks_of_one_system_are_thinned_and_the_label_says_so(shown):
    rng = np.random.default_rng(0)
    post = fit(rng.random((100_000, 3)) < rng.beta(0.5, 0.5, (100_000, 1)))
    ax = task_map(post)
    drawn = sum(len(c.get_offsets()) for c in ax.collections if isinstance(c, PathCollection))
    assert drawn == 250
    assert ax.get_ylabel() == "task, of 100,000 by mean; 1 in 400 drawn"
    data = task_map_data(post)
    count = (data["state"] == "undetermined").sum()
    assert f"undetermined, open (none reaches 95%): {count:,}" in shown(ax)


def test_many_tasks_of_several_systems_are_mixed_and_the_label_says_so(shown, fits):
    rng = np.random.default_rng(0)
    p = rng.beta(0.5, 0.5, (2, 20_000, 1)) * np.array([1, 0.3])[:, None, None]
    post = fit(rng.random((2, 20_000, 4)) < p)
    ax = task_map(post)
    (image,) = ax.images
    assert image.get_array().shape == (80, 200, 4)
    assert "each column is the expected mix of 100 tasks" in ax.get_xlabel()
    chances = task_map_data(post)[["p_persistent", "p_flickering", "p_not_shown"]].mean()
    texts = shown(ax)
    for state, chance in zip(STATES, chances, strict=True):
        assert any(t.startswith(state) and f"{100 * round(chance, 3):.6g}%" in t for t in texts)
    # The inked share of each state in the picture is its expected share.
    from matplotlib.colors import to_rgba

    from reliability_stats.plots._style import STATES as LOOKS

    picture = image.get_array().reshape(-1, 4)
    inked = picture[picture[:, 3] > 0]
    for state, chance in zip(STATES, chances, strict=True):
        share = np.isclose(inked, to_rgba(LOOKS[state].face)).all(axis=1).mean()
        assert share == pytest.approx(chance, abs=0.02)
    fits(ax)


def test_thinning_never_hides_how_much_is_drawn():
    rng = np.random.default_rng(0)
    ax = task_map(fit(rng.random((250, 2)) < 0.5))
    assert ax.get_ylabel() == "task, of 250 by mean"
    ax = task_map(fit(rng.random((251, 2)) < 0.5))
    assert ax.get_ylabel() == "task, of 251 by mean; 1 in 2 drawn"


def test_too_many_systems_must_be_chosen():
    rng = np.random.default_rng(0)
    post = fit(rng.random((201, 3, 2)) < 0.5)
    with pytest.raises(ArgumentError, match="at most 200 systems, not 201"):
        task_map(post)
    assert not plt.get_fignums()
    task_map(post, systems=post.systems[:3])


@pytest.mark.parametrize("columns", [None, 1])
def test_nothing_is_cut_off(any_post, columns, fits):
    if columns is None:
        fits(task_map(any_post))
        fits(task_map(any_post, systems=any_post.systems[0]))
        return
    with rs.plots.style(columns):
        fits(task_map(any_post))


def test_single_cell_is_drawn(fits):
    ax = task_map(fit([[1, 0, 1]], tasks=["$only_{task}$"]))
    assert ax.get_yticklabels()[0].get_text() == r"\$only_{task}\$"
    fits(ax)


def test_names_are_shown_literally(extremes, shown):
    texts = shown(task_map(extremes))
    for name in extremes.systems:
        assert name in texts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0.9, "high": 0.1}, "low must be smaller than high"),
        ({"decide": 2}, "decide must be"),
        ({"prob": 95}, "did you mean 0.95"),
        ({"systems": "x"}, "There is no system 'x'"),
    ],
)
def test_wrong_arguments_are_refused(three, options, message):
    with pytest.raises(ArgumentError, match=message):
        task_map(three, **options)


def test_contradicting_data_are_refused(three):
    data = task_map_data(three, low=0.2)
    task_map(data)
    with pytest.raises(ArgumentError, match=r"low=0.3 contradicts the data, .* low=0.2"):
        task_map(data, low=0.3)

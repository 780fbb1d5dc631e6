"""Flicker map, rank lines, zones and persistence curve: what is drawn is what was computed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import reliability_stats as rs


@pytest.fixture(scope="module")
def three():
    return rs.fit(rs.datasets.load("simulated-three-systems"))


@pytest.fixture(scope="module")
def flags():
    return rs.flag_flicker(rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")))


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_flicker_map_stops_at_the_allowed_rate(flags):
    data = rs.plots.flicker_map_data(flags)
    known = data[data["labelled"]]
    assert len(known) == 14
    assert known["mean_wrong"].iloc[-1] <= 0.05
    rest = data[(data["likely"] == "flickering") & ~data["labelled"]]
    last = rest[rest["p_wrong"] == rest["p_wrong"].iloc[0]].index[-1]
    assert data["mean_wrong"][last] > 0.05
    ax = rs.plots.flicker_map(flags)
    drawn = sum(len(points.get_offsets()) for points in ax.collections)
    assert drawn == len(data) == 50


def test_flicker_map_of_one_of_several(three):
    several = rs.flag_flicker(three)
    with pytest.raises(rs.ArgumentError, match="Name one system"):
        rs.plots.flicker_map(several)
    with pytest.raises(rs.ArgumentError, match="no system"):
        rs.plots.flicker_map(several, system="stedy")
    with pytest.raises(rs.ArgumentError, match="flag_flicker"):
        rs.plots.flicker_map(three)
    data = rs.plots.flicker_map_data(several, system="steady")
    assert len(data) == int(several.systems.set_index("system").loc["steady", "n_tasks"])


def test_rank_lines(three):
    ranking = rs.rank(three, rs.PassHatK(4))
    ax = rs.plots.rank_lines(ranking)
    texts = [text.get_text() for text in ax.texts]
    assert sorted(texts) == sorted(["flickering", "narrow", "steady"] * 2)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    with pytest.raises(rs.ArgumentError, match="result of rank"):
        rs.plots.rank_lines(three)


def test_zones(three):
    table = rs.zones(three, rs.PassAtK(4), capable=0.5, dependable=0.7)
    data = rs.plots.zones_data(table)
    chances = table[["p_dependable", "p_flickering", "p_narrow", "p_immature"]].max(axis=1)
    assert data["chance"].tolist() == chances.tolist()
    assert data["likely"].tolist()[0] == "capable but flickering"
    ax = rs.plots.zones(table)
    assert any("narrow 7" in text.get_text() for text in ax.texts)
    with pytest.raises(rs.ArgumentError, match="zones"):
        rs.plots.zones(three)


def test_persistence_curve(three):
    data = rs.plots.persistence_curve_data(three, most=5, systems=["steady", "narrow"])
    assert data["system"].tolist() == ["narrow"] * 5 + ["steady"] * 5
    one = three.summary(rs.Persistence(3)).set_index("system")["mean"]
    assert data[data["m"] == 3]["mean"].tolist() == one[["narrow", "steady"]].tolist()
    ax = rs.plots.persistence_curve(three, most=10)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert len(dashed) == 3
    assert min(np.min(line.get_xdata()) for line in dashed) == 7
    with pytest.raises(rs.ArgumentError, match="Posterior"):
        rs.plots.persistence_curve(3)

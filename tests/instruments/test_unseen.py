"""Unseen classes: figures by hand, enumeration of the urn, and truth in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from reliability_stats.exceptions import ArgumentError, ModelError
from reliability_stats.instruments import Incidents, unseen_classes

SIZES = [5, 3, 3, 2, 1, 1, 1, 1]


def found(sizes):
    table = {"failure_class": np.arange(len(sizes)), "incidents": sizes}
    return unseen_classes(Incidents.from_counts(table, exposure=None))


def test_good_turing_and_chao():
    row = found(SIZES).estimates().iloc[0]
    assert row["p_known"] == pytest.approx(0.764706, abs=5e-7)
    assert row["chao1"] == 11.0
    assert (row["incidents"], row["classes"], row["once"], row["twice"]) == (17, 8, 4, 1)


def test_posterior_agrees_with_a_plain_grid():
    """The partition's probability as a product over the urn, on 500 x 500 midpoints."""
    x = (np.arange(500) + 0.5) / 500
    d, w = np.meshgrid(x, x)
    c = w / (1 - w)
    logs, n, k = np.zeros_like(d), 0, 0
    for size in SIZES:
        for i in range(size):
            logs += np.log(i - d if i else c + k * d) - np.log(c + n)
            n += 1
        k += 1
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    mass = (c + k * d) / (c + n)
    row = found(SIZES).summary().iloc[0]
    assert row["mean"] == pytest.approx((weight * mass).sum(), abs=1e-4)
    a, b = c + k * d, n - k * d
    assert (weight * special.betainc(a, b, row["upper"])).sum() == pytest.approx(0.975, abs=1e-3)
    assert (weight * special.betainc(a, b, row["lower"])).sum() == pytest.approx(0.025, abs=1e-3)
    next_ = found(SIZES).predict(1).iloc[0]
    assert next_["p_none"] == pytest.approx(1 - row["mean"])
    assert next_["mean"] == pytest.approx(row["mean"])
    two = found(SIZES).predict(2).iloc[0]
    again = mass * (c + (k + 1) * d) / (c + n + 1) + (1 - mass) * (c + k * d) / (c + n + 1)
    assert two["mean"] == pytest.approx((weight * (mass + again)).sum(), abs=2e-4)
    assert two["p_none"] == pytest.approx(
        (weight * (1 - mass) * (1 - (c + k * d) / (c + n + 1))).sum(), abs=2e-4
    )


def urn(d, c, n, rng):
    """Draw sizes of classes and the true unseen mass: the mass not yet broken off."""
    sizes: list[int] = []
    for i in range(n):
        if rng.random() < (c + d * len(sizes)) / (c + i):
            sizes.append(1)
        else:
            weight = np.array(sizes) - d
            sizes[rng.choice(len(sizes), p=weight / weight.sum())] += 1
    return sizes, rng.beta(c + d * len(sizes), n - d * len(sizes))


def test_unseen_mass_is_covered_and_number_of_new_classes_too():
    rng = np.random.default_rng(11)
    inside, new = [], []
    for _ in range(25):
        d, w = rng.random(2)
        sizes, mass = urn(d, w / (1 - w), 40, rng)
        result = found(sizes)
        row = result.summary().iloc[0]
        inside.append(row["lower"] <= mass <= row["upper"])
        more = len(sizes)
        for i in range(40, 70):
            more += rng.random() < (w / (1 - w) + d * more) / (w / (1 - w) + i)
        next_ = result.predict(30).iloc[0]
        new.append(next_["lower"] <= more - len(sizes) <= next_["upper"])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.12)
    assert np.mean(new) > 0.8


@pytest.mark.parametrize("power", [0.8, 1.5])
def test_classes_with_zipf_sizes(power):
    """Neither law is a Pitman-Yor process; the mass that 200 draws leave unseen is known."""
    rng = np.random.default_rng(2)
    p = np.arange(1, 2001.0) ** -power
    p /= p.sum()
    inside = []
    for _ in range(12):
        counts = rng.multinomial(200, p)
        row = found(counts[counts > 0]).summary().iloc[0]
        inside.append(row["lower"] <= p[counts == 0].sum() <= row["upper"])
    assert np.mean(inside) > 0.7


def test_edges():
    one = found([1]).summary().iloc[0]
    assert one["identified"] == "no"
    assert one["lower"] < 0.1
    assert found([1] * 30).summary()["mean"][0] > 0.8
    assert found([300]).summary()["upper"][0] < 0.05
    assert found([100_000, 1]).summary()["upper"][0] < 1e-3
    assert "1 class," in repr(found([3]))
    with pytest.raises(ModelError, match="no incident"):
        found([0, 0])
    with pytest.raises(ArgumentError, match="further must be at most"):
        found([1, 2]).predict(10**6)
    with pytest.raises(ArgumentError, match="takes Incidents"):
        unseen_classes([1, 2])


def test_one_of_several_systems():
    events = {"failure_class": ["a", "b", "a", "c"], "who": ["A", "A", "A", "B"]}
    data = Incidents.from_events(events, system="who")
    assert unseen_classes(data, system="A").n == 3
    assert unseen_classes(data).n == 4
    with pytest.raises(ArgumentError, match="system must be one of 'A', 'B'"):
        unseen_classes(data, system="C")

"""Plots of the instruments: what is drawn, odd names, and wrong input."""

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError
from reliability_stats.instruments import (
    IncidentRates,
    Incidents,
    SafetyAudit,
    SequentialTest,
    incident_growth,
)

NAMES = ["$all_{fail}$", "<b>x</b>, y", "_z"]


@pytest.fixture(scope="module")
def made():
    counts = {"failure_class": NAMES, "incidents": [7, 0, 1], "exposure": [1200] * 3}
    cells = {"task": range(9), "n": [8] * 9, "damaged": [0] * 6 + [1, 3, 8]}
    return {
        "incident_rates": IncidentRates().fit(Incidents.from_counts(counts)),
        "incident_growth": incident_growth([2, 5, 11, 30, 71], end=100),
        "sequential_test": SequentialTest(0.95, 0.8, most=150),
        "audit_miss": SafetyAudit().fit(cells, n="n", damaged="damaged"),
    }


KINDS = ["incident_rates", "incident_growth", "sequential_test", "audit_miss"]


@pytest.mark.parametrize("kind", KINDS)
def test_draws_the_result_or_its_data_within_the_figure(made, kind, fits, shown):
    plot, data = getattr(rs.plots, kind), getattr(rs.plots, f"{kind}_data")
    for source in (made[kind], data(made[kind])):
        ax = plot(source)
        fits(ax)
        assert shown(ax)
    with pytest.raises(ArgumentError, match=f"{kind} takes"):
        plot(3)
    with pytest.raises(ArgumentError, match="have no column"):
        plot(pd.DataFrame({"x": [1]}))


def test_rates_are_named_with_their_incidents(made, shown):
    texts = shown(rs.plots.incident_rates(made["incident_rates"]))
    assert "$all_{fail}$ (7)" in texts
    assert "<b>x</b>, y (0)" in texts


def test_steps_are_the_incidents(made):
    ax = rs.plots.incident_growth(made["incident_growth"])
    steps = next(line for line in ax.lines if line.get_drawstyle() == "steps-post")
    assert np.max(steps.get_ydata()) == 5


def test_extrapolated_audits_are_open(made):
    ax = rs.plots.audit_miss(made["audit_miss"])
    open_ = [line for line in ax.lines if line.get_markerfacecolor() == ax.get_facecolor()]
    assert min(open_[0].get_xdata()) == 8

"""
A deployment dossier on one system
==================================

Repeated trials say what a system keeps doing under one setting. Six further instruments say what
that view leaves out: handoffs, failures that come back, why it fails, what it costs, for whom it
works, and whether it is good enough here. All records below are simulated.
"""

# %%
# What it can do, and what it keeps doing
# ---------------------------------------
#
# Sixty tasks, eight trials each. The verdict needs two kinds of model to agree.

import matplotlib.pyplot as plt
import numpy as np

import reliability_stats as rs
from reliability_stats import instruments

rng = np.random.default_rng(12)
chance = rng.beta(1.6, 0.7, size=60)
trials = rs.Trials.from_array(rng.random((60, 8)) < chance[:, None], systems="clerk")
post = rs.fit(trials)
estimands = [rs.SuccessRate(), rs.PassAtK(8), rs.PassHatK(8), rs.Persistence(1)]
capable = post.summary(estimands)
print(capable[["estimand", "mean", "lower", "upper", "identified"]].round(3).to_string())
print(rs.flag_flicker(trials).systems[["verdict", "reason"]].to_string())

# %%
# Where a run breaks
# ------------------
#
# A workflow audit: four steps, one row an attempt. Errors of the review can escape.

rows = []
for run in range(150):
    for step, rate in (("read", 0.97), ("plan", 0.88), ("review", 0.92), ("file", 0.98)):
        went = "passed" if rng.random() < rate else "escaped" if step == "review" else "failed"
        rows.append((run, step, went))
        if went == "failed":
            break
audit = dict(zip(("run", "step", "outcome"), zip(*rows, strict=True), strict=True))
workflow = instruments.Workflow().fit(audit)
print(workflow.steps()[["step", "n", "mean", "p_weakest", "if_perfect"]].round(3).to_string())

# %%
# Which failures come back
# ------------------------
#
# Incidents of 2000 runs in use; four classes were watched for, one of which has not occurred.

events = {"failure_class": ["tool call"] * 11 + ["context"] * 4 + ["planning"] * 2}
log = instruments.Incidents.from_events(
    events, exposure=2000, classes=["tool call", "context", "planning", "loop"]
)
incidents = instruments.IncidentRates().fit(log)
print(incidents.predict(500)[["failure_class", "p_none", "mean", "upper"]].round(2).to_string())

# %%
# Why it fails
# ------------
#
# Labels of 60 postmortems, and what share of lost pass^8 would come back without tool errors.

modes = rng.choice(["tool call", "context", "planning"], size=60, p=[0.55, 0.15, 0.3])
labels = {"system": ["clerk"] * 60, "failure": list(range(60)), "mode": modes.tolist()}
postmortem = instruments.Postmortem().fit(labels)
contributions = postmortem.contributions(post, k=8)
print(contributions[["mode", "recovered", "lower", "upper"]].round(2).to_string())

# %%
# What it costs, and for whom it works
# ------------------------------------
#
# Severities of 400 runs at stated costs, and success for each of 18 sites.

severity = instruments.Severity({"none": 0, "rework": 2, "complaint": 40})
costs = severity.fit({"severity": ["none", "rework", "complaint"], "runs": [352, 44, 4]},
                     n="runs", system=None)  # fmt: skip
print(costs.risk(500, runs=1000).round(2).to_string())

site = 1 / (1 + np.exp(-(1.2 + 0.9 * rng.standard_normal(18))))
table = {
    "user": [f"site {i}" for i in range(18)],
    "n": np.full(18, 25),
    "good": rng.binomial(25, site),
}
users = instruments.Users().fit(table, system=None, n="n", successes="good")

# %%
# Is it good enough here?
# -----------------------
#
# Two limits of one institution. Another may bear more, or less: a verdict is no property of the
# system.

print(rs.Tolerance(rs.PassHatK(4), at_least=0.30).check(post))
print(instruments.IncidentTolerance(at_most=5, per=1000).check(incidents))

# %%
# The dossier on one page
# -----------------------
#
# Each panel is one instrument. None of them can be read off another.

with rs.plots.style(columns=2):
    figure, axes = plt.subplots(2, 2, figsize=(7.2, 5.2), layout="constrained")
    rs.plots.intervals_of(capable, ax=axes[0, 0])
    rs.plots.workflow_steps(workflow, ax=axes[0, 1])
    rs.plots.incident_rates(incidents, ax=axes[1, 0])
    shown = ["median_user", "mean_user", "tenth_percentile_user", "new_user"]
    rs.plots.intervals_of(users.summary(), estimands=shown, ax=axes[1, 1])
    names = ("Repeated trials", "Workflow audit", "Incidents", "Users")
    for ax, name in zip(axes.flat, names, strict=True):
        ax.set_title(name, loc="left", pad=18, weight="bold")
plt.show()

# %%
# What even all of them together do not show: harm that nobody noticed or wrote down, tasks and
# users that went elsewhere, and next month.

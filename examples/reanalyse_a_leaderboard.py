"""
Reanalyse a published leaderboard
=================================

tau-bench and tau2-bench print pass^1 to pass^4. From these four numbers the whole table of
successes comes back, or else the row is not what it says.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import reliability_stats as rs
from reliability_stats.leaderboard import Leaderboard, bounds, reconstruct

board = Leaderboard.from_frame(rs.datasets.figures("tau-bench-ladders"))
found = reconstruct(board)
columns = ["system", "benchmark", "status", "histogram"]
print(found[columns].to_string(index=False))

# %%
# Five rows fit one histogram of tasks with 0, 1, ..., 4 successes, and only one. For four rows
# there is none: they cannot come from exactly four trials of each task. What could explain it is in
# `note`.

print(found.loc[found["status"] == "none", "note"].iloc[0])

# %%
# A row with one histogram is as good as the raw counts. Here the raw trials of one row are
# published, so that it can be checked.

raw = rs.datasets.load("tau-bench-airline-gpt4o")
ours = found.trials("tool calling (gpt-4o)", "tau-bench airline")
print(np.bincount(raw.counts.successes), np.bincount(ours.counts.successes))

# %%
# Two kinds of competence
# -----------------------
#
# Three ways to use one model on the same 50 tasks. Which tasks had which count is not recovered, so
# that tasks cannot be paired and the posteriors are independent.

names = ["tool calling (gpt-4o)", "ReAct (gpt-4o)", "Act (gpt-4o)"]
histograms = {
    name: found[(found["system"] == name) & (found["n_tasks"] == 50)]["histogram"].item()
    for name in names
}
successes = {name: np.repeat(np.arange(5), h) for name, h in histograms.items()}
data = {
    "system": np.repeat(names, 50),
    "task": [f"{name} #{i}" for name in names for i in range(50)],
    "n": [4] * 150,
    "successes": np.concatenate([successes[name] for name in names]),
}
post = rs.fit(rs.Trials.from_counts(data))
estimands = [rs.SuccessRate(), rs.PassAtK(4), rs.PassHatK(4), rs.Persistence(1)]
table = post.summary(estimands)
print(table.pivot(index="system", columns="estimand", values="mean").round(2).to_string())

# %%
# Tool calling does more tasks at least once; ReAct repeats more of what it does. Neither is the
# better system: they differ in kind.

with rs.plots.style(columns=2):
    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.2), layout="constrained")
    rs.plots.capability_reliability(post, ax=axes[0])
    rs.plots.pass_curves(post, ax=axes[1])
plt.show()

# %%
# Rows without a histogram
# ------------------------
#
# The figures still are moments of a distribution of success probabilities. That gives sharp bounds
# for every k, and an interval around them, without a model; the last row adds one.

table = bounds(board, [rs.PassHatK(8)])
mask = (table["benchmark"] == "tau-bench retail") & (table["system"].str.contains("1022"))
shown = ["estimand", "identified", "assumption", "mean", "set_lower", "set_upper", "lower", "upper"]
print(table.loc[mask, shown].round(3).to_string(index=False))

# %%
# A newer leaderboard
# -------------------
#
# The 46 ladders of tau2-bench: 34 fit one histogram; those printed with three decimals in the first
# cohort fit none. Two systems print the same ladder to the last digit.

newer = Leaderboard.from_frame(rs.datasets.figures("tau2-bench-ladders"))
again = reconstruct(newer)
print(again["status"].value_counts().to_dict())
twin = again[again["duplicate_of"].notna()]
print(twin[["system", "benchmark", "duplicate_of"]].to_string(index=False))

# %%
# For each unique ladder: how much of what it can do in four tries does it do every time? Systems
# with one score differ in it.

unique = again[again["status"] == "unique"]
kinds = {"tau2-bench airline": "o", "tau2-bench retail": "s", "tau2-bench telecom": "^"}
colours = dict(zip(kinds, ("#0072B2", "#E69F00", "#009E73"), strict=True))
with rs.plots.style(columns=1):
    figure, ax = plt.subplots(figsize=(3.35, 3.1), layout="constrained")
    for name, marker in kinds.items():
        counts = [
            np.array(h) / sum(h) for h in unique.loc[unique["benchmark"] == name, "histogram"]
        ]
        can, does = [1 - h[0] for h in counts], [h[4] for h in counts]
        ax.scatter(can, does, marker=marker, s=18, color=colours[name], label=name, clip_on=False)
    ax.plot([0, 1], [0, 1], color="0.6", lw=0.8)
    ax.text(0.24, 0.3, "no task flickers", rotation=45, color="0.4", rotation_mode="anchor")
    ax.set(xlabel="done at least once in 4 trials (pass@4)", ylabel="done in all 4 trials (pass^4)")
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.legend(loc="upper left")
plt.show()

# %%
# What this view cannot see: which tasks flicker, trials that were left out before figures were
# printed, and whether four trials in a row were independent.

"""
A leaderboard of single runs
============================

Thirty-one models, 500 tasks of SWE-bench Verified, one run each. Which places are luck?
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import reliability_stats as rs
from reliability_stats.comparison import beta_greater
from reliability_stats.leaderboard import Leaderboard, bounds, reconstruct
from reliability_stats.planning import tasks_needed

figures = rs.datasets.figures("swe-bench-bash-only")
board = Leaderboard.from_frame(figures)
print(board)

# %%
# Are the scores what they say?
# -----------------------------
#
# One run of 500 tasks gives a whole number of them. Eight scores are not: some tasks are missing,
# or several runs were averaged. They can still be read, but not as one run.

found = reconstruct(board)
print(found["status"].value_counts().to_dict())
print(found.loc[found["status"] == "none", ["system", "note"]].head(3).to_string())

# %%
# What is a tie?
# --------------
#
# Two scores of one and the same system may differ by this much in 95% of cases. On the same tasks
# it depends on how much single tasks flicker, which a single run does not show: only bounds are
# known.

scores = figures["value"].astype(float).to_numpy()
floor = rs.noise_floor(float(scores[0]), n_tasks=500)
print(floor[["comparison", "floor", "lower", "upper", "identified"]].round(3).to_string())

# %%
# Is the first one the best?
# --------------------------
#
# Without outcomes by task, systems are compared as if they ran different tasks. That is cautious:
# tasks are the same, and what is hard is hard for most.

systems = figures["system"].tolist()
wins = np.round(scores * 500)
first, second = wins[:2]
above = beta_greater(first + 1, 500 - first + 1, second + 1, 500 - second + 1)
print(f"P(first > second) = {above:.2f}")

rng = np.random.default_rng(0)
rates = rng.beta(wins + 1, 500 - wins + 1, size=(20_000, len(wins)))
best = np.bincount(rates.argmax(axis=1), minlength=len(wins)) / len(rates)
ranks = (-rates).argsort(axis=1).argsort(axis=1) + 1
low, high = np.quantile(ranks, [0.05, 0.95], axis=0).astype(int)
for i in range(6):
    print(f"{systems[i]:45s} {scores[i]:.3f}  P(best) {best[i]:.2f}  place {low[i]} to {high[i]}")

# %%
# Grey: as far below the first as luck may take an equal system, if tasks' outcomes are unrelated.
# All in it tie with the first.

fresh = floor.set_index("comparison").loc["same system, other tasks", "floor"]
lower, upper = rs.intervals.wilson(wins.astype(int), 500)
with rs.plots.style(columns=2):
    figure, ax = plt.subplots(figsize=(7.0, 4.6), layout="constrained")
    place = np.arange(len(scores))
    tied = scores[0] - scores <= fresh
    ax.axvspan(scores[0] - fresh, scores[0], color="0.9", lw=0)
    ax.hlines(place, lower, upper, color=np.where(tied, "#0072B2", "0.4"), lw=1.2)
    ax.scatter(scores, place, c=np.where(tied, "#0072B2", "0.4"), s=14, zorder=3)
    ax.set_yticks(place, systems, fontsize=6)
    ax.invert_yaxis()
    ax.set(xlabel="tasks resolved in one run, with 95% interval over tasks", xlim=(0, 0.85))
    ax.text(
        scores[0] - fresh / 2, len(scores) - 0.6, "tied with\nthe first", ha="center", va="bottom"
    )
plt.show()
print(f"{tied.sum()} of {len(scores)} systems tie with the first")

# %%
# And reliability?
# ----------------
#
# A score alone bounds it, and the bounds are wide: pass^4 may be anything from "all tasks alike" to
# "every task always or never".

table = bounds(board, [rs.PassHatK(4), rs.Persistence(1)])
columns = ["estimand", "identified", "set_lower", "set_upper", "lower", "upper"]
print(table[table["system"] == systems[0]][columns].round(3).to_string(index=False))

# %%
# The best of several runs
# ------------------------
#
# If the best of R runs is shown, the score rises without the system getting better: by nothing if
# no task flickers (ICC 1), by up to this much if all tasks are alike (ICC 0).

for runs in (3, 5, 10):
    size = [np.sqrt(scores[0] * (1 - scores[0]) * (1 - icc) / 500) for icc in (0.8, 0.4, 0.0)]
    gain = rng.standard_normal((100_000, runs)).max(axis=1).mean()
    print(f"best of {runs:2d}: ICC .8, .4, 0: " + ", ".join(f"+{gain * sd:.3f}" for sd in size))

# %%
# What would tell the first two apart?
# ------------------------------------
#
# They differ by .002. If half of the variance of a trial is the tasks' (ICC .5), that takes far
# more tasks than there are. Five points are within reach of 500 tasks, with five trials of each.

within = 2 * 0.19 * 0.5
for gap in (0.002, 0.02, 0.05):
    print(gap, [tasks_needed(gap, 0.05, within, trials=k) for k in (1, 5, 20)], "tasks x 1, 5, 20")

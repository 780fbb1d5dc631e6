"""
What can 5 x 3 runs say?
========================

ResearchGym reports that an agent improved on the baseline it was given in 1 of 15 evaluations, by
11.5%: 5 research tasks, 3 runs each. A singular achievement is a fact. How often is it to be had?
"""

# %%
# One success in fifteen runs leaves a single possible table: four tasks with 0 of 3, one with 1 of
# 3. Which task it was does not matter for what follows.

import matplotlib.pyplot as plt
import numpy as np

import reliability_stats as rs
from reliability_stats.planning import split_budget

trials = rs.datasets.load("researchgym")
print(rs.datasets.describe("researchgym").notes)

# %%
# Capability and reliability, over research tasks like these. With five tasks everything is wide,
# and honestly so. Pass@3 answers "will one of three runs improve?", pass^3 "will all three?".

post = rs.fit(trials)
estimands = [rs.SuccessRate(), rs.PassAtK(3), rs.PassHatK(3), rs.Persistence(1)]
columns = ["estimand", "mean", "lower", "upper", "identified"]
print(post.summary(estimands)[columns].round(3).to_string(index=False))

# %%
# If all runs were of one task with one success probability, Beta(1, 1) would give 2/17 = .118 with
# an interval of .016 to .302. Tasks differ, so that the interval for tasks like these is wider.

low, high = rs.intervals.jeffreys(1, 15)
print(f"fifteen runs of one task (Jeffreys): {low:.3f} to {high:.3f}")

# %%
# The task on which it worked once: does it flicker, or was it luck on a task that it cannot do?

cells = post.tasks()
print(cells[["task", "n", "successes", "mean", "lower", "upper", "p_flickering"]].round(3))

# %%
# On the task with the success, the next run may well fail: one success in three shows that it can
# be done, not that it can be done again.
#
# What would settle it? Runs go first where they tell most.

print(rs.next_trials(post, budget=15)[["task", "successes", "trials", "gain"]].round(3))

# %%
# A published average is checked in the same spirit. 26.5% of 39 sub-tasks is no whole number of
# sub-tasks (10 are 25.6%, 11 are 28.2%); over three runs it is 31 of 117.

print([f"{k}/39 = {k / 39:.3f}" for k in (10, 11)], f"31/117 = {31 / 117:.3f}")

# %%
# Best of several runs
# --------------------
#
# A leaderboard of the best score over runs shows capability only. It rises with the number of runs,
# for one and the same agent: here, if each run improves with the chances that the fifteen runs
# leave possible.

draws = np.arange(1, 17)
table = post.summary([rs.PassAtK(int(k)) for k in draws])
again = post.summary([rs.PassHatK(int(k)) for k in draws])
with rs.plots.style(columns=1):
    figure, ax = plt.subplots(figsize=(3.35, 2.6), layout="constrained")
    for part, colour, name in ((table, "#0072B2", "any of k runs"), (again, "#D55E00", "all of k")):
        ax.fill_between(draws, part["lower"], part["upper"], color=colour, alpha=0.2, lw=0)
        line = "-" if name.startswith("any") else "--"
        ax.plot(draws, part["mean"], line, color=colour, label=name)
    ax.axvline(3, color="0.5", lw=0.6, ls=":")
    ax.annotate("runs made", (3, 0.97), xytext=(3, 0), textcoords="offset points", va="top")
    ax.set(xlabel="runs of a task, k", ylabel="share of tasks improved", ylim=(0, 1), xlim=(1, 16))
    ax.set_xticks([1, 3, 5, 10, 15])
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.9))
plt.show()

# %%
# How to do better with the cost of fifteen runs more? For the mean, more tasks; to say whether
# success is repeated, a few runs of each. A task is taken to cost as much to prepare as two runs.

plan = split_budget(post, budget=150, cost_task=2, trials=[1, 2, 3, 5, 8, 15])
print(plan[["estimand", "trials", "tasks", "identified", "sd", "best"]].round(3).to_string())

# %%
# What this view cannot see: whether an improvement of 11.5% matters, what the runs cost, how it was
# found, and whether the five tasks are research as people do it.

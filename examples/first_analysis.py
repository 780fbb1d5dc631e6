"""
A first analysis
================

From a table of trials to a report: gpt-4o on 50 airline tasks of tau-bench, each tried four times.
"""

# %%
# The table
# ---------
#
# One row a trial would do as well (`Trials.from_frame`). Here the counts are embedded. What the
# data hold is printed with them, down to a fingerprint.

import matplotlib.pyplot as plt

import reliability_stats as rs

trials = rs.datasets.load("tau-bench-airline-gpt4o")
print(trials)

# %%
# Without a model
# ---------------
#
# Unbiased estimates with intervals that take tasks as what was sampled. They go up to as many
# trials as each task had.

estimands = [rs.SuccessRate(), rs.PassAtK(4), rs.PassHatK(4), rs.Persistence(1)]
columns = ["estimand", "mean", "lower", "upper", "identified"]
print(rs.estimate(trials, estimands)[columns].round(3).to_string(index=False))

# %%
# The score is 42%. In four tries 72% of tasks are done at least once, and 20% every time: what was
# done once is done again on the next try in two of three cases. None of these numbers can be read
# off another.

# %%
# With a model
# ------------
#
# A beta distribution of success probabilities over tasks adds what no unbiased estimate gives: the
# share of tasks that flicker, single tasks, and more tries than were made. The column `identified`
# says what then rests on the model.

post = rs.fit(trials)
print(post.summary([*estimands, rs.PassHatK(8), rs.FlickerMass()])[columns].round(3).to_string())

# %%
# On the left how capability and reliability part as tries are added, on the right every task.

with rs.plots.style(columns=2):
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.2), layout="constrained")
    rs.plots.pass_curves(post, ax=left)
    rs.plots.task_map(post, ax=right)
plt.show()

# %%
# Single tasks
# ------------
#
# After four trials, few tasks can be called anything. Four passes of four are no proof of
# persistence: `rs.minimal_trials` says how many it takes. `next_trials` says where to go on.

states = post.tasks()[["p_not_shown", "p_flickering", "p_persistent"]]
print(f"tasks settled with 95%: {(states.max(axis=1) >= 0.95).sum()} of {len(states)}")
chosen = rs.next_trials(post, budget=100)
print(chosen.groupby("successes")["trials"].agg(["count", "sum"]))

# %%
# Something to show
# -----------------
#
# One file with headline, tables, figures, conditions, and what was not looked at.

written = rs.report(post, "report.html")
print(written.name, f"{written.stat().st_size / 1e3:.0f} kB")
print(rs.claim(post, rs.PassHatK(4)).sentence)

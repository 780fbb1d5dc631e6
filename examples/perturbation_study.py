"""
Does it persist under perturbation?
===================================

Two simulated agents meet paraphrased prompts and failing tools. What each loses is judged on the
same tasks, against a loss that would still be tolerated.
"""

# %%
# Forty tasks, six trials under each of three conditions, paired by task.

import matplotlib.pyplot as plt
import numpy as np

import reliability_stats as rs

rng = np.random.default_rng(4)
conditions = ("plain", "paraphrased", "tool faults")
easy = rng.beta(3, 1, size=40)
kept = {
    ("sturdy", "paraphrased"): 1.0,
    ("sturdy", "tool faults"): 0.95,
    ("brittle", "paraphrased"): 0.97,
    ("brittle", "tool faults"): 0.72,
}
cells = [(s, t, c) for s in ("sturdy", "brittle") for t in range(40) for c in conditions]
chances = [easy[t] * kept.get((s, c), 1.0) for s, t, c in cells]
frame = dict(zip(("system", "task", "condition"), zip(*cells, strict=True), strict=True))
frame |= {"n": np.full(len(cells), 6), "successes": rng.binomial(6, chances)}
trials = rs.Trials.from_counts(frame, condition="condition")
print(trials)

# %%
# What each condition costs, with a tolerated loss of ten points. "Undetermined" is an honest
# answer: forty tasks leave an interval of some fifteen points.

asked = [
    contrast
    for condition in conditions[1:]
    for contrast in (
        rs.Degradation(condition, baseline="plain", margin=0.1),
        rs.Degradation(condition, of=rs.PassHatK(4), baseline="plain", margin=0.1),
    )
]
table = rs.estimate(trials, asked)
print(table[["estimand", "system", "mean", "lower", "upper", "verdict"]].round(2).to_string())

# %%
# The worst condition, with limits that hold for all at once, and how far conditions are apart.

worst = [rs.WorstCondition(baseline="plain"), rs.HeterogeneityAcrossConditions()]
print(rs.estimate(trials, worst)[["estimand", "system", "lower", "upper"]].round(2).to_string())

# %%
# The same as a picture: losses of the success rate and of pass^4 with their 95% intervals.

colours, markers = {"sturdy": "#0072B2", "brittle": "#D55E00"}, {"sturdy": "o", "brittle": "s"}
names = list(dict.fromkeys(table["estimand"]))
with rs.plots.style():
    figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    for shift, (system, rows) in zip((-0.12, 0.12), table.groupby("system"), strict=True):
        places = np.array([names.index(name) for name in rows["estimand"]]) + shift
        reach = [rows["mean"] - rows["lower"], rows["upper"] - rows["mean"]]
        ax.errorbar(
            rows["mean"], places, xerr=reach, fmt=markers[system], color=colours[system],
            capsize=3, label=system,
        )  # fmt: skip
    ax.axvspan(-0.1, 0.1, color="0.9", zorder=0, label="tolerated")
    ax.set_yticks(range(len(names)), [name[len("degradation(") : -1] for name in names])
    ax.set_xlabel("loss against the plain condition")
    ax.invert_yaxis()
    ax.legend(loc="upper right")

plt.show()

"""
Drift, regressions and alarms
=============================

The same model name need not be the same system. Chen, Zaharia and Zou asked GPT-4 and GPT-3.5 the
same questions in March and in June 2023 (https://doi.org/10.1162/99608f92.5317da47). On 1000
questions whether a number is prime, GPT-4 went from 84.0% to 51.1%, GPT-3.5 from 49.6% to 76.2%.
"""

# %%
# Published shares are counts, since the number of questions is known. Both changes are far beyond
# chance. Why they came about is another matter: half of the numbers are primes, and a system that
# calls every number composite, as GPT-4 nearly did in June, is right half of the time.

import matplotlib.pyplot as plt
import numpy as np

import reliability_stats as rs

published = rs.Trials.from_counts(
    {
        "system": ["GPT-4", "GPT-4", "GPT-3.5", "GPT-3.5"],
        "task": ["prime"] * 4,
        "snapshot": ["2023-03", "2023-06"] * 2,
        "n": [1000] * 4,
        "successes": [840, 511, 496, 762],
    },
    condition="snapshot",
)
drift = rs.Drift(period="snapshot", tasks="same").fit(published)
print(drift.summary()[["system", "change", "lower", "upper", "p_decline"]].round(3).to_string())

# %%
# Which tasks got worse? Forty tasks, eight trials with each of two versions. Four tasks break, the
# others only flicker: most flips are no regressions.

rng = np.random.default_rng(7)
p = rng.beta(3, 0.8, 40)
after = np.where(np.arange(40) < 4, 0.0, p)
versions = rs.Trials.from_counts(
    {
        "task": [f"t{i}" for i in range(40)] * 2,
        "version": ["old"] * 40 + ["new"] * 40,
        "n": [8] * 80,
        "successes": rng.binomial(8, np.r_[p, after]),
    },
    system=None,
    condition="version",
)
found = rs.regressions(versions, version="version", baseline="old")
print(found)

# %%
# And an alarm that may be looked at every day. From day 21 the system succeeds in 70% instead of
# 90% of 30 trials.

days = np.arange(1, 41)
daily = rs.Trials.from_counts(
    {
        "task": ["all"] * 40,
        "day": days,
        "n": [30] * 40,
        "successes": rng.binomial(30, np.where(days <= 20, 0.9, 0.7)),
    },
    system=None,
    condition="day",
)
watch = rs.monitor(daily, period="day", rate=0.85)
print(watch)

# %%
# Three pictures.

with rs.plots.style(columns=2):
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
    rs.plots.drift_bands(drift, ax=axes[0])
    rs.plots.regression_map(found, ax=axes[1])
    rs.plots.monitor_path(watch, ax=axes[2])

plt.show()

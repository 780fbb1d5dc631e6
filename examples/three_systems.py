"""
Same score, different reliability
=================================

Two of three simulated systems succeed in 60% of all trials. One solves the same tasks every time,
the other solves every task now and then. The score cannot tell them apart.
"""

# %%
# Sixty tasks, eight trials each. One system is steady, one flickers, one is narrow.

import matplotlib.pyplot as plt

import reliability_stats as rs

post = rs.fit(rs.datasets.load("simulated-three-systems"))
print(post.summary([rs.SuccessRate(), rs.PassAtK(8), rs.PassHatK(8)]).round(3).to_string())

# %%
# Capability on one axis, reliability on the other; and how both move as k grows.

with rs.plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    rs.plots.capability_reliability(post, ax=left)
    rs.plots.pass_curves(post, ax=right)

plt.show()

"""Three simulated systems: two share a success rate, and differ in all else.

Draws the figure of the README: ``python examples/three_systems.py docs/figures/three-systems.png``.
"""

import sys

import matplotlib.pyplot as plt

import reliability_stats as rs

post = rs.fit(rs.datasets.load("simulated-three-systems"))
print(post.summary([rs.SuccessRate(), rs.PassAtK(8), rs.PassHatK(8)]).round(3).to_string())

with rs.plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    rs.plots.capability_reliability(post, ax=left)
    rs.plots.pass_curves(post, ax=right)
    figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "three-systems.png", dpi=130)

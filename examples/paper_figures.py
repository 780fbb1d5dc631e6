"""
Figures for a paper
===================

One and two columns wide, with text that stays text in PDF and SVG, and colours that can be told
apart by colour-blind readers and in grey.
"""

# %%
# Inside `rs.plots.style`, figures have the width of a column of a journal. Own figures made there
# take the same fonts and lines.

import io

import matplotlib.pyplot as plt

import reliability_stats as rs

post = rs.fit(rs.datasets.load("simulated-three-systems"))

with rs.plots.style(columns=1):
    ax = rs.plots.pass_curves(post)
plt.show()

# %%
# Every plot takes ``ax=`` and returns it, so that panels can be put together.

with rs.plots.style(columns=2):
    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.1), layout="constrained")
    rs.plots.capability_reliability(post, ax=axes[0])
    rs.plots.pass_curves(post, ax=axes[1])
    for letter, ax in zip("ab", axes, strict=True):
        place = {"xytext": (-30, 12), "textcoords": "offset points", "annotation_clip": False}
        ax.annotate(letter, (0, 1), xycoords="axes fraction", fontweight="bold", **place)
plt.show()

# %%
# The state of each task, two columns wide.

with rs.plots.style(columns=2):
    rs.plots.task_map(post)
plt.show()

# %%
# What is drawn can be had as a table, to draw it otherwise, or to print it beside the figure.

data = rs.plots.pass_curves_data(post)
print(data.head(4).round(3).to_string(index=False))

# %%
# A table with digits that the uncertainty warrants.

summary = post.summary([rs.PassAtK(8), rs.PassHatK(8), rs.Persistence(1)])
print(rs.table(summary, style="latex"))

# %%
# Save inside `style` too: fonts are then embedded as text.

with rs.plots.style(columns=1):
    ax = rs.plots.pass_curves(post)
    file = io.BytesIO()  # a name such as "curves.pdf" in a paper
    ax.figure.savefig(file, format="svg")
    plt.close(ax.figure)
print("<text" in file.getvalue().decode())

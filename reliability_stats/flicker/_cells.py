"""States of cells, by the Bayesian false discovery rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._numerics import FloatArray
from ..posterior import Posterior
from ..serial import Exchangeability
from ..serial._verdict import EXPLAINED, STRONG
from ..trials import Counts
from ._fdr import discoveries
from ._law import CellLaw
from ._reference import at_most
from ._states import APPARENT, FLICKERING, NOT_SHOWN, STATES, UNDETERMINED, Bounds

if TYPE_CHECKING:
    import pandas as pd

CHANCES = ("p_not_shown", "p_flickering", "p_persistent")


def state_chances(post: Posterior, bounds: Bounds) -> FloatArray:
    """Posterior probability of each state, averaged over plausible graders, shape (3, cells)."""
    below = np.zeros(post.trials.counts.n_cells)
    above = np.zeros_like(below)
    for low, high in bounds.pairs:
        cells = post.engine.cells(0.95, low, high)
        below += cells.below / len(bounds.pairs)
        above += cells.above / len(bounds.pairs)
    return np.stack([below, np.clip(1.0 - below - above, 0.0, 1.0), above])


def label_cells(
    posts: Sequence[Posterior],
    law: CellLaw,
    bounds: Bounds,
    fdr: float,
    checked: Exchangeability,
) -> pd.DataFrame:
    """Give one row a cell, with its state and what is behind it."""
    counts = posts[0].trials.counts
    each = np.stack([state_chances(post, bounds) for post in posts])
    chance = each.mean(axis=0)
    likely = chance.argmax(axis=0)
    cell = np.arange(counts.n_cells)
    wrong = 1.0 - chance[likely, cell]
    repeated = np.bincount(counts.unit, weights=counts.n > 1)[counts.unit] > 0
    # a state that is no more probable than not is no state, whatever the others of its list
    stated = np.where((wrong < 0.5) & repeated, wrong, np.nan)
    known = discoveries(stated, counts.unit * len(STATES) + likely, fdr)
    state = np.where(known, np.array(STATES, dtype=object)[likely], UNDETERMINED)
    note = np.full(counts.n_cells, "", dtype=object)
    _explain(state, note, counts, checked)
    _bound(state, note, counts)
    note[~repeated] = "one trial a task says nothing about repetition"
    further = law.further_trials(bounds, fdr)
    further[(state != UNDETERMINED) | ~repeated] = np.nan
    frame = posts[0].tasks(low=bounds.low, high=bounds.high)
    for name, values in zip(CHANCES, chance, strict=True):
        frame[name] = values
    frame["likely"] = np.array(STATES, dtype=object)[likely]
    frame["state"] = state
    frame["p_wrong"] = wrong
    frame["p_wrong_most"] = 1.0 - each[:, likely, cell].min(axis=0)
    frame["further_trials"] = further
    frame["note"] = note
    return frame


def _explain(state: np.ndarray, note: np.ndarray, counts: Counts, checked: Exchangeability) -> None:
    """Take back flicker that has a cause: of its system, or of the cell's own sequence."""
    verdicts, causes = (checked.systems[name].tolist() for name in ("verdict", "cause"))
    flickers = state == FLICKERING
    explained = np.array([verdict == EXPLAINED for verdict in verdicts])[counts.unit] & flickers
    for i in np.flatnonzero(explained):
        note[i] = f"explained by {causes[counts.unit[i]]}"
    if len(checked.cells):
        evidence = checked.cells["log_bayes_factor"].to_numpy()
        own = flickers & ~explained & (evidence >= STRONG)
        for i in np.flatnonzero(own):
            note[i] = f"explained by its order (log Bayes factor {evidence[i]:.1f})"
        explained |= own
    state[explained] = APPARENT


def _bound(state: np.ndarray, note: np.ndarray, counts: Counts) -> None:
    """Write what was not shown with its upper bound."""
    rows = np.flatnonzero(
        (state == NOT_SHOWN) | ((state == UNDETERMINED) & (counts.successes == 0))
    )
    if not rows.size:
        return
    n, wins = counts.n[rows], counts.successes[rows]
    pairs, place = np.unique(np.stack([n, wins]), axis=1, return_inverse=True)
    limits = at_most(pairs[1], pairs[0])
    words = np.array(
        [
            f"{'not shown' if y == 0 else 'shown ' + ('once' if y == 1 else f'{y} times')} in "
            f"{m} trial{'' if m == 1 else 's'}; p <= {limit:.2g} with 95%"
            for m, y, limit in zip(*pairs.tolist(), limits, strict=True)
        ],
        dtype=object,
    )
    note[rows] = words[place.ravel()]

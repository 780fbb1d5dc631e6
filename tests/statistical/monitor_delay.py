"""False alarms and delays of `monitor` beside CUSUM.

Run the whole table (about 5 minutes on one core) with::

    python tests/statistical/monitor_delay.py --replications 1000

Batches of trials succeed at 90%; in half of the streams the rate falls after batch 100. Each
stream ends after batch 300. For each method: the share of streams that raise an alarm without a
decline in 300 batches, the share of alarms before the decline where there is one, and of the rest
the share that detects it and the median and mean delay in batches. "e-process" and "bets" are
`monitor` with within="independent" and "any", and an error of 5%. "run length" raises an alarm
when P(a change since the beginning) exceeds 95% and the present rate is below 90% with 95%. "CUSUM
tuned" looks for the very decline that happens, with a threshold that gives 5% false alarms in
other streams of the same length: what could be done if the decline and the end were known
beforehand. "CUSUM" is the design of METHODS (p1 = 75%, run length of 1513 trials).
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy import special

from reliability_stats.history._watch import cusum, e_values, run_lengths

GOOD, BATCHES, START, LIMIT = 0.90, 300, 100, 20.0
DESIGNS = ((1, 0.75), (1, 0.5), (20, 0.85), (20, 0.75), (20, 0.5))
SHARED = 0.03
"""Standard deviation of the rate of a day, in the rows with days that differ."""


def stream(rng, size, fallen, days):
    """Draw one stream."""
    rate = np.full(BATCHES, GOOD)
    rate[START:] = fallen
    if days:
        a, b = rate * 99, (1 - rate) * 99
        rate = rng.beta(a, b)
    return rng.binomial(size, rate)


def first(alarm):
    """Place of the first alarm."""
    return int(np.argmax(alarm)) if alarm.any() else np.inf


def alarms(n, y, threshold, fallen):
    """First alarm of each method."""
    posterior, _ = run_lengths(n, y, 0.01)
    won, lost = y.cumsum(), (n - y).cumsum()
    begin = np.arange(BATCHES)
    s = won[:, None] - np.concatenate([[0], won[:-1]])[begin]
    f = lost[:, None] - np.concatenate([[0], lost[:-1]])[begin]
    below = special.betainc(np.maximum(s, 0) + 1.0, np.maximum(f, 0) + 1.0, GOOD)
    lower = (posterior * below).sum(axis=1) > 0.95
    return {
        "e-process": first(e_values(n, y, GOOD, "independent") >= LIMIT),
        "bets": first(e_values(n, y, GOOD, "any") >= LIMIT),
        "run length": first((posterior[:, 0] < 0.05) & lower),
        "CUSUM": first(cusum(n, y, GOOD, 0.75) >= 24 * np.log(0.9 / 0.75)),
        "CUSUM tuned": first(cusum(n, y, GOOD, fallen) >= threshold),
    }


def rows(size: int, fallen: float, days: bool, replications: int) -> list[dict[str, object]]:
    """Simulate one design."""
    rng = np.random.default_rng([size, int(100 * fallen), days])
    n = np.full(BATCHES, size)
    tops = [cusum(n, stream(rng, size, GOOD, days), GOOD, fallen).max() for _ in range(2000)]
    threshold = float(np.quantile(tops, 0.95))
    still, moved = (
        pd.DataFrame(
            [
                alarms(n, stream(rng, size, after, days), threshold, fallen)
                for _ in range(replications)
            ]
        )
        for after in (GOOD, fallen)
    )
    out = []
    for method in still:
        at = moved[method].to_numpy()
        late = at[at >= START]
        delay = late[np.isfinite(late)] - START + 1
        fields = {"trials a batch": size, "fallen to": fallen, "days differ": days}
        fields |= {"method": method, "false alarms": np.isfinite(still[method]).mean()}
        fields |= {"early": (at < START).mean(), "detected": np.isfinite(late).mean()}
        fields |= {"median delay": np.median(delay) if len(delay) else np.nan}
        fields |= {"mean delay": delay.mean() if len(delay) else np.nan}
        out.append(fields | {"replications": replications})
    return out


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    out: list[dict[str, object]] = []
    designs = [(*design, False) for design in DESIGNS] + [(20, 0.75, True)]
    for design in designs:
        out += rows(*design, options.replications)
        print(pd.DataFrame(out[-5:]).round(3).to_string(header=len(out) == 5), flush=True)
    if options.out:
        pd.DataFrame(out).round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])

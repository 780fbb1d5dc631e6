import re
from pathlib import Path

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.compat import metr_fit, metr_horizons

MINUTES = [1, 2, 4, 8, 15, 30, 60, 120, 240, 480]
BINARY = [1, 1, 1, 1, 1, 0, 1, 0, 0, 0]
SCORES = [1, 1, 1, 0.75, 1, 0.5, 0.6, 0, 0.2, 0]
# github.com/METR/eval-analysis-public, src/horizon/utils/logistic.py, run with scikit-learn 1.9.1:
# slope, intercept, p50, p80.
PRINTED = [
    (BINARY, 0.1, (-0.9017842172110507, 4.909750194460283, 43.54648908128063, 15.003269640699363)),
    (BINARY, 1e-5, (-1.3044681513330743, 7.066063042599371, 42.71927629816973, 20.450832402037996)),
    (SCORES, 0.1, (-0.7717044675489494, 4.261509973325598, 45.9567418947754, 13.230529013698376)),
]
# METR's time-horizon 1.1 file: p50 and p80 in minutes; then slope, p95, p99 (logistic) and kappa,
# p95, p99 (Weibull), each computed by hand from the closed forms.
PUBLISHED = [
    (60.388937, 12.09179, -0.597475, (1.98353, 0.292257), 0.704745, (1.50126, 0.148596)),
    (203.012577, 38.312431, -0.576258, None, 0.679719, None),
    (292.994594, 49.430584, -0.539961, None, 0.636905, None),
    (718.80683, 69.874587, -0.412248, None, 0.486264, None),
]


@pytest.mark.parametrize(("success", "penalty", "printed"), PRINTED)
def test_metr_digits(success, penalty, printed):
    fit = metr_fit(MINUTES, success, regularization=penalty)
    got = (fit.slope, fit.intercept, fit.p50, fit.p80)
    np.testing.assert_allclose(got, printed, rtol=1e-7)
    assert metr_fit(MINUTES, success, np.full(10, 0.1), penalty) == fit


@pytest.mark.parametrize(("success", "penalty", "printed"), PRINTED)
def test_newton_reaches_the_minimum(success, penalty, printed):
    x, y = np.log2(MINUTES), np.array(success, dtype=float)
    fit = metr_fit(MINUTES, success, regularization=penalty, solver="newton")
    p = 1 / (1 + np.exp(-(fit.intercept + fit.slope * x)))
    assert abs(np.mean(p - y)) < 1e-12
    assert abs(np.mean((p - y) * x) + penalty * fit.slope) < 1e-12
    np.testing.assert_allclose((fit.slope, fit.p50), (printed[0], printed[2]), rtol=3e-4)


@pytest.mark.parametrize("solver", ["lbfgs", "newton"])
def test_scores_are_split_and_weights_count_rows(solver):
    split = metr_fit([1, 8, 8, 64], [1, 1, 0, 0], [0.4, 0.1, 0.3, 0.2], 0.1, solver=solver)
    scored = metr_fit([1, 8, 64], [1, 0.25, 0], [0.4, 0.4, 0.2], 0.1, solver=solver)
    np.testing.assert_allclose(scored.slope, split.slope, rtol=1e-9)
    with_empty_row = metr_fit([1, 8, 64, 9], [1, 0.25, 0, 1], [0.4, 0.4, 0.2, 0], solver=solver)
    assert with_empty_row.slope == pytest.approx(scored.slope, rel=1e-9)


def test_unpenalised_fit_agrees_with_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    minutes = 2 ** rng.uniform(0, 10, 300)
    success = rng.random(300) < 1 / (1 + np.exp(0.8 * np.log2(minutes) - 4))
    fit = metr_fit(minutes, success, regularization=0, solver="newton")
    other = sm.Logit(success, sm.add_constant(np.log2(minutes))).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose((fit.intercept, fit.slope), other.params, rtol=1e-8)


def test_horizon_inverts_the_curve():
    fit = metr_fit(MINUTES, BINARY)
    for level in (0.5, 0.8, 0.95):
        eta = fit.intercept + fit.slope * np.log2(fit.horizon(level))
        assert 1 / (1 + np.exp(-eta)) == pytest.approx(level)
    assert (fit.horizon(0.5), fit.horizon(0.8)) == (fit.p50, fit.p80)


@pytest.mark.parametrize(("p50", "p80", "slope", "logistic", "kappa", "weibull"), PUBLISHED)
def test_published_horizons(p50, p80, slope, logistic, kappa, weibull):
    table = metr_horizons(p50, p80)
    assert table.attrs["slope"] == pytest.approx(slope, abs=1e-6)
    assert table.attrs["kappa"] == pytest.approx(kappa, abs=1e-6)
    for shape in ("logistic", "weibull"):
        np.testing.assert_allclose(table[shape][:2], (p50, p80), rtol=1e-12)
    if logistic:
        np.testing.assert_allclose(table["logistic"][2:], logistic, rtol=3e-6)
        np.testing.assert_allclose(table["weibull"][2:], weibull, rtol=3e-6)


def test_constant_hazard_ratios():
    # Ord (2025): horizons at 80, 90, 95, 99 and 99.9% as parts of the half-life.
    table = metr_horizons(1.0, 0.5, levels=[0.8, 0.9, 0.95, 0.99, 0.999])
    parts = [0.321928, 0.152003, 0.0740006, 0.0144996, 0.00144342]
    np.testing.assert_allclose(table["half_life"], parts, rtol=5e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("success", [[0, 0, 1, 1], [1, 0, 0, 1]])
def test_no_horizon_without_a_falling_curve(success):
    with pytest.warns(rs.ReliabilityStatsWarning, match="no horizon"):
        fit = metr_fit([1, 2, 4, 8], success, solver="newton")
    assert np.isnan([fit.p50, fit.p80, fit.horizon(0.9)]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [1, 1]), "All outcomes are successes"),
        (([1, 2, 3], [0, 0, 1], [1, 1, 0]), "All outcomes are failures"),
    ],
)
def test_outcomes_must_differ(arguments, words):
    with pytest.raises(rs.ModelError, match=words):
        metr_fit(*arguments)


def test_separation_needs_a_penalty():
    with pytest.raises(rs.ModelError, match="separates"):
        metr_fit([1, 2, 4, 8], [1, 1, 0, 0], regularization=0, solver="newton")
    with pytest.raises(rs.ModelError, match="equal"):
        metr_fit([2, 2], [1, 0], regularization=0, solver="newton")
    assert metr_fit([1, 2, 4, 8], [1, 1, 0, 0], regularization=1e-6, solver="newton").slope < -3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"minutes": [1, 0]}, "entry 1 is 0.0"),
        ({"minutes": [1, np.nan]}, "entry 1 is nan"),
        ({"success": [1, 1.5]}, "entry 1 is 1.5"),
        ({"success": [1]}, r"shape \(1,\)"),
        ({"success": ["yes", "no"]}, "success must be a list of numbers"),
        ({"weights": [-1, 1]}, "entry 0 is -1.0"),
        ({"weights": [0, 0]}, "must not all be 0"),
        ({"regularization": -1}, "regularization"),
        ({"regularization": 0}, "solver='newton'"),
        ({"solver": "sag"}, "solver"),
        ({"minutes": [], "success": []}, "not empty"),
    ],
)
def test_bad_arguments(change, words):
    with pytest.raises(rs.ArgumentError, match=words):
        metr_fit(**{"minutes": [1, 2], "success": [1, 0], **change})


@pytest.mark.parametrize("pair", [(10, 20), (10, 0), (10, 10), (np.inf, 1), ("a", 1)])
def test_bad_horizons(pair):
    with pytest.raises(rs.ArgumentError):
        metr_horizons(*pair)
    with pytest.raises(rs.ArgumentError, match="level"):
        metr_horizons(10, 5, levels=[1.0])


def test_the_penalty_never_vanishes():
    """With as many runs as you like, the slope stays drawn to 0 and p80 stays too short."""
    text = (Path(__file__).resolve().parents[2] / "docs/how-to/metr-horizons.md").read_text()
    names = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)), names)
    table = names["table"]
    truth = names["TRUE_P80"]
    large = table[table["runs"] == table["runs"].max()].iloc[0]
    assert abs(large["p80, no penalty"] / truth - 1) < 0.03
    assert large["p80, METR"] / truth < 0.83
    assert abs(large["p50, METR"] / 32 - 1) < 0.03
    shown = text[text.index(" runs  ") : text.index("```\n\nThe true")]
    assert table.to_string(index=False).split() == shown.split()

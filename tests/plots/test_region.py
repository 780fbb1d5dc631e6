import numpy as np
import pytest
from matplotlib.path import Path

import reliability_stats as rs
from reliability_stats.plots._region import highest_density_region


def inside(rings, x, y):
    """Whether points are in an odd number of rings."""
    points = np.stack([x, y], axis=1)
    return sum(Path(ring).contains_points(points).astype(int) for ring in rings) % 2 == 1


def area(rings):
    return sum(
        0.5 * np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]) for ring in rings
    )


def known_law(size, seed):
    """x ~ Beta(8, 4) and y / x ~ Beta(3, 5), independent."""
    rng = np.random.default_rng(seed)
    x = rng.beta(8, 4, size)
    return x, x * rng.beta(3, 5, size)


@pytest.mark.parametrize("prob", [0.5, 0.8, 0.95])
def test_region_holds_the_stated_mass_of_new_draws(prob):
    rings = highest_density_region(*known_law(4000, 1), prob)
    new = inside(rings, *known_law(40_000, 2))
    assert new.mean() == pytest.approx(prob, abs=0.013)


def test_region_is_the_smallest_of_its_mass():
    from scipy import stats

    x, y = known_law(4000, 3)
    rings = highest_density_region(x, y, 0.9)

    def density(x, y):
        return stats.beta(8, 4).pdf(x) * stats.beta(3, 5).pdf(y / x) / x

    level = np.quantile(density(*known_law(200_000, 4)), 0.1)
    side = np.linspace(0, 1, 1001)[1:-1]
    grid = np.stack(np.meshgrid(side, side))
    below = grid[:, grid[1] < grid[0]]
    best = (density(*below) > level).sum() * (side[1] - side[0]) ** 2
    assert area(rings) == pytest.approx(best, rel=0.06)


@pytest.mark.parametrize("k", [2, 4, 30])
@pytest.mark.parametrize("over", ["population", "observed"])
def test_region_of_posteriors_holds_its_mass_and_stays_possible(any_post, k, over):
    draws = any_post.draws([rs.PassAtK(k), rs.PassHatK(k)], over=over)
    x, y = (draws[name].to_numpy()[..., 0].ravel() for name in (f"pass@{k}", f"pass^{k}"))
    rings = highest_density_region(x, y, 0.9)
    corners = np.concatenate(rings)
    assert (corners >= 0).all()
    assert (corners <= 1).all()
    assert (corners[:, 1] <= corners[:, 0] + 1e-12).all()
    spread = [np.ptp(np.quantile(values, [0.02, 0.98])) for values in (x, y)]
    if min(spread) > 0.01:
        y = np.clip(y, 1e-9, x - 1e-9)  # not on the edges of the rings
        assert inside(rings, x, y).mean() == pytest.approx(0.9, abs=0.02)
    else:
        assert area(rings) < 0.02


def test_outer_rings_run_anticlockwise_and_holes_clockwise():
    """One task that succeeded four times: over fifty tries it may do all or almost none."""
    post = rs.fit(rs.Trials.from_array(np.ones((1, 4))))
    draws = post.draws([rs.PassAtK(50), rs.PassHatK(50)])
    x, y = (draws[name].to_numpy().ravel() for name in ("pass@50", "pass^50"))
    rings = highest_density_region(x, y, 0.95)
    areas = sorted(area([ring]) for ring in rings)
    assert areas[-1] == pytest.approx(0.5, abs=0.01)
    assert areas[0] < -0.05
    assert inside(rings, x, np.clip(y, 1e-9, x - 1e-9)).mean() == pytest.approx(0.95, abs=0.01)


def test_region_of_a_single_point_is_tiny():
    x = np.full(100, 0.3)
    rings = highest_density_region(x, 0.5 * x, 0.95)
    assert np.abs(np.concatenate(rings) - [0.3, 0.15]).max() < 0.01

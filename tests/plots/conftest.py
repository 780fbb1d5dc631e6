import matplotlib as mpl
import numpy as np
import pytest

import reliability_stats as rs

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    from matplotlib import pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="session")
def tau():
    return rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))


@pytest.fixture(scope="session")
def three():
    return rs.fit(rs.datasets.load("simulated-three-systems"))


@pytest.fixture(scope="session")
def many():
    """Thirteen systems with long names on forty tasks."""
    rng = np.random.default_rng(1)
    ease = rng.beta(0.6, 0.6, (1, 40, 1))
    skill = np.linspace(0.3, 1.6, 13)[:, None, None]
    names = [f"2025-08-{i:02d}_some-agent-framework_model-{i}-sonnet" for i in range(13)]
    return rs.fit(rs.Trials.from_array(rng.random((13, 40, 5)) < ease**skill, systems=names))


@pytest.fixture(scope="session")
def untried():
    """One trial a task."""
    return rs.fit(rs.Trials.from_array(np.arange(30)[:, None] % 3 == 0))


@pytest.fixture(scope="session")
def extremes():
    """Never, always, and always the same, under names that look like markup."""
    outcomes = np.stack([np.zeros((30, 4)), np.ones((30, 4)), np.tile(np.arange(30) % 2, (4, 1)).T])
    names = ["$all_{fail}$ \\alpha", "50% <b>all & pass</b> $", "_hälfte #^~"]
    return rs.fit(rs.Trials.from_array(outcomes, systems=names))


@pytest.fixture(params=["tau", "many", "extremes"])
def any_post(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def fits():
    """Check that nothing of a figure is cut off."""

    def check(ax):
        figure = ax.figure
        figure.draw_without_rendering()
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert box.x0 > -0.03
        assert box.y0 > -0.03
        assert box.x1 < width + 0.03
        assert box.y1 < height + 0.03

    return check


@pytest.fixture
def shown():
    """Give all texts of a figure as a reader sees them."""
    from matplotlib.cbook import is_math_text
    from matplotlib.text import Text

    def texts(ax):
        out = []
        for text in ax.figure.findobj(Text):
            raw = text.get_text()
            assert not is_math_text(raw), raw
            out.append(raw.replace(r"\$", "$").replace("\n", ""))
        return out

    return texts

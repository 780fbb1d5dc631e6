import numpy as np
import pytest

import reliability_stats as rs


@pytest.fixture
def counts_of():
    """Give a function that makes trials from rows of successes out of n, tasks shared."""

    def make(n, **systems):
        size = len(next(iter(systems.values())))
        return rs.Trials.from_counts(
            {
                "system": np.repeat(list(systems), size),
                "task": [f"t{i}" for i in range(size)] * len(systems),
                "n": np.full(size * len(systems), n),
                "successes": np.concatenate([np.asarray(wins) for wins in systems.values()]),
            }
        )

    return make


@pytest.fixture(scope="session")
def three_trials():
    return rs.datasets.load("simulated-three-systems")


@pytest.fixture(scope="session")
def three(three_trials):
    return rs.fit(three_trials)


@pytest.fixture(scope="session")
def ladder():
    """Six systems of rising skill on sixty shared tasks, five trials each."""
    rng = np.random.default_rng(5)
    ease = rng.normal(0, 2, (1, 60, 1))
    skill = np.linspace(-1.5, 1.5, 6)[:, None, None]
    p = 1 / (1 + np.exp(-(skill + ease)))
    return rs.Trials.from_array(rng.random((6, 60, 5)) < p, systems=[f"s{i}" for i in range(6)])

import pytest

from reliability_stats import exceptions


@pytest.mark.parametrize("name", exceptions.__all__)
def test_each_has_the_root_and_the_builtin(name):
    kind = getattr(exceptions, name)
    if name.endswith("Warning"):
        assert issubclass(kind, exceptions.ReliabilityStatsWarning)
        assert issubclass(kind, UserWarning)
    else:
        assert issubclass(kind, exceptions.ReliabilityStatsError)
        builtin = {"ReliabilityStatsError": Exception, "MissingExtraError": ImportError}
        assert issubclass(kind, builtin.get(name, ValueError))

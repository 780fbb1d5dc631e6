"""Public leaderboards are reanalysed by one command; skipped where their tables are not."""

import numpy as np
import pytest

from tests.benchmarks import leaderboards


@pytest.mark.slow
@pytest.mark.parametrize("title", leaderboards.PARTS)
@pytest.mark.filterwarnings("ignore::reliability_stats.ReliabilityStatsWarning")
def test_part_runs(title, shared_data):
    file, part = leaderboards.PARTS[title]
    if not (shared_data / file).exists():
        pytest.skip(f"no {file}")
    table = part(shared_data)
    assert len(table)
    numbers = table.select_dtypes(float).to_numpy()
    assert np.isfinite(numbers).all()


def test_counts_of_ladders(shared_data):
    table = leaderboards.ladders(shared_data).set_index("benchmark")
    assert table.loc["all", ["unique", "several", "none"]].tolist() == [65, 0, 22]


def test_what_is_not_there_is_said(tmp_path, capsys):
    leaderboards.main(tmp_path)
    assert "left out: hal_instances.csv.gz is not there" in capsys.readouterr().out

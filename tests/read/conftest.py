"""Shared fixtures of the readers' tests."""

import json
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def data():
    """Give the folder of public tables and sample logs, or skip."""
    if not DATA.is_dir():
        pytest.skip("no folder of public data")
    return DATA


@pytest.fixture
def samples(data):
    """Give the folder of sample logs, or skip."""
    return data / "samples"


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a file, as text or as JSON, and returns its path."""

    def make(name, content):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return file

    return make

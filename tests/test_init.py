"""The public names."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import reliability_stats as rs


@pytest.mark.parametrize("name", rs.__all__)
def test_every_public_name_can_be_loaded(name):
    assert getattr(rs, name) is not None
    assert name in dir(rs)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="has no attribute 'pass_at_k'"):
        _ = rs.pass_at_k


def test_read_is_a_function_and_a_module():
    assert callable(rs.read)
    importlib.import_module("reliability_stats.read")
    assert callable(rs.read)


def test_the_front_door_is_small():
    lines = Path(rs.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80


def test_is_typed():
    assert (Path(rs.__file__).parent / "py.typed").exists()


def test_names_used_in_examples_are_there():
    root = Path(rs.__file__).parents[1]
    files = [
        *root.glob("reliability_stats/**/*.py"),
        *root.glob("examples/*.py"),
        *root.glob("docs/**/*.md"),
    ]
    used = {name for file in files for name in re.findall(r"\brs\.(\w+)", file.read_text("utf-8"))}
    assert not {name for name in used if not hasattr(rs, name)}

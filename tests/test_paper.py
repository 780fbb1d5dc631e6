"""The paper's numbers and citations are those that its script and bibliography give."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

PAPER = Path(__file__).resolve().parents[1] / "paper"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("paper_figures", PAPER / "figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_text_and_numbers_are_up_to_date(script, tmp_path):
    text = script.build(tmp_path)
    assert text == (PAPER / "paper.md").read_text(encoding="utf-8")
    kept = json.loads((PAPER / "numbers.json").read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8")) == kept
    named = re.findall(r"\]\((figures/[^)]+)\)", text)
    assert named
    assert all((tmp_path / name).exists() and (PAPER / name).exists() for name in named)


def test_numbers_and_text_match_both_ways(script):
    with pytest.raises(KeyError, match="no number for"):
        script.fill("{{a}} {{b}}", {"a": "1"})
    with pytest.raises(KeyError, match="not quoted"):
        script.fill("{{a}}", {"a": "1", "b": "2"})


def test_every_citation_has_an_entry():
    text = (PAPER / "paper.template.md").read_text(encoding="utf-8")
    cited = set(re.findall(r"@([a-z]+\d{4})", text))
    entries = set(re.findall(r"^@\w+\{(\w+),", (PAPER / "paper.bib").read_text("utf-8"), re.M))
    assert cited == entries


def test_length_and_sections_are_those_of_the_journal():
    text = (PAPER / "paper.md").read_text(encoding="utf-8").split("---", 2)[2]
    assert 750 <= len(re.findall(r"[A-Za-z]{2,}", text)) <= 1750
    assert re.findall(r"^# (.*)$", text, re.M) == [
        "Summary",
        "Statement of need",
        "State of the field",
        "Software design",
        "Research impact statement",
        "AI usage disclosure",
        "Acknowledgements",
        "References",
    ]

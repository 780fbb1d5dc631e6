"""Tables for papers: escaped, rounded by their uncertainty, and honest about their basis."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats.report.tables import digits

NASTY = r"a_b & 50% <i>$x^2$</i> \{#~|"


@pytest.fixture(scope="module")
def post():
    table = {"system": ["plain"] * 6 + [NASTY] * 6, "task": [*range(6)] * 2, "n": [4] * 12}
    table["successes"] = [0, 1, 2, 3, 4, 4, 4, 4, 3, 0, 1, 2]
    return rs.fit(rs.Trials.from_counts(table))


@pytest.fixture(scope="module")
def summary(post):
    return post.summary([rs.PassAtK(4), rs.PassHatK(4), rs.PassHatK(9)])


class Cells(HTMLParser):
    """Collect tags and texts."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_latex(summary):
    text = rs.table(summary, caption="100% & more")
    assert r"\toprule" in text
    assert r"\caption{100\% \& more}" in text
    assert r"a\_b \& 50\% \textless{}i\textgreater{}\$x\textasciicircum{}2\$" in text
    assert r"\textbackslash{}\{\#\textasciitilde{}|" in text
    assert r"pass\textasciicircum{}9" in text
    assert r"$^{a}$ rests on the model." in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert [line.count(" & ") for line in rows] == [3, 3, 3]


def test_latex_rows_may_begin_with_a_bracket():
    trials = rs.Trials.from_counts({"system": ["[x]"], "task": [1], "n": [2], "successes": [1]})
    assert "{[}x] & " in rs.table(rs.fit(trials).summary(rs.SuccessRate()))


def test_html_shows_names_as_text(summary):
    text = rs.table(summary, style="html", caption="<script>")
    page = Cells()
    page.feed(text)
    assert "i" not in page.tags
    assert "script" not in page.tags
    assert NASTY in page.texts
    assert page.tags.count("tr") == 4


def test_markdown_has_a_cell_for_each_column(summary):
    lines = rs.table(summary, style="markdown").splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 4
    for row in rows:
        assert row.replace("\\|", "").count("|") == 5
    assert "<i>" not in "\n".join(lines).replace("\\<", "")


def test_values_are_those_of_the_summary(post):
    one = post.summary(rs.SuccessRate()).iloc[[0]]
    text = rs.table(one, style="markdown")
    places = digits(one["lower"].iloc[0], one["upper"].iloc[0])
    for name in ("mean", "lower", "upper"):
        assert f"{one[name].iloc[0]:.{places}f}" in text


def test_long_form_has_one_row_for_each(summary):
    text = rs.table(summary, style="markdown", wide=False)
    assert sum(line.startswith("|") for line in text.splitlines()) == 2 + 6


@pytest.mark.parametrize(
    ("lower", "upper", "wanted"),
    [
        (0.09, 0.29, 2),
        (0.1, 0.9, 2),
        (0.0, 1.0, 1),
        (0.43012, 0.43044, 5),
        (1.0, 25.0, 0),
        (0.5, 0.5, 3),
        (float("nan"), 1.0, 3),
        (0.5, 0.5 + 1e-12, 8),
    ],
)
def test_digits(lower, upper, wanted):
    assert digits(lower, upper) == wanted


@pytest.mark.filterwarnings("ignore::reliability_stats.exceptions.IdentifiabilityWarning")
def test_what_is_not_there_is_a_dash():
    trials = rs.Trials.from_array([[1, 0], [1, 1], [0, 0]])
    text = rs.table(rs.estimate(trials, rs.PassHatK(5)), style="markdown")
    assert "--^a^" in text
    assert "not identified by the data" in text


def test_two_targets_need_two_columns_or_long_form(post):
    both = pd.concat([post.summary(rs.ICC(), over=o) for o in ("population", "observed")])
    with pytest.raises(rs.ArgumentError, match="two rows for 'icc'"):
        rs.table(both)
    assert "tasks like these, the very tasks tried" in rs.table(both, wide=False)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pd.DataFrame({"a": [1]}), "no column 'estimand'"),
        ("summary", "no column 'estimand'"),
    ],
)
def test_what_is_no_summary_is_refused(value, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.table(value)


def test_wrong_style(summary):
    with pytest.raises(rs.ArgumentError, match=r"style must be one of .* \(did you mean 'latex'"):
        rs.table(summary, style="Latex")
    with pytest.raises(rs.ArgumentError, match="no rows"):
        rs.table(summary.iloc[:0])

"""Whole reports: what they say, that names stay text, and that the HTML needs nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, IdentifiabilityWarning, MissingExtraError
from reliability_stats.report._blind_spots import BLIND_SPOTS, blind_spots
from reliability_stats.report._sources import SOURCES, used

NASTY = '<script>alert("x")</script> & %_#{} \\ é $x^2$ | *b*'
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects tags, ids, links and text, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.ids, self.loads, self.words, self.open = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("src", "href", "xlink:href", "action", "data"):
            if name in attributes:
                self.loads.append(attributes[name])
        assert not any(name.startswith("on") for name in attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(autouse=True)
def one_model(monkeypatch):
    """Fit no second model for verdicts, except where a fixture of the module asks for it."""
    monkeypatch.setattr("reliability_stats.report._verdicts.MOST_JUDGED", 0)


@pytest.fixture(scope="module")
def post():
    return rs.fit(rs.datasets.load("simulated-three-systems"))


@pytest.fixture(scope="module")
def html(post, tmp_path_factory):
    return rs.report(post, tmp_path_factory.mktemp("report") / "r.html").read_text("utf-8")


def outcomes(*shape, seed=0):
    return (np.random.default_rng(seed).random(shape) < 0.5).astype(float)


def test_html_is_well_formed_and_loads_nothing(html):
    page = Page(html)
    assert not page.open
    assert "script" not in page.tags
    assert "iframe" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    local = {f"#{name}" for name in page.ids}
    assert all(target in local or target == "data:," for target in page.loads)
    assert "default-src 'none'" in html
    css = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in css
    assert "@import" not in css


def test_references_inside_figures_resolve(html):
    ids = set(Page(html).ids)
    named = set(re.findall(r"url\(#([^)]+)\)", html))
    assert named
    assert named <= ids


def test_says_both_answers_with_the_numbers_of_the_summary(html, post):
    text = Page(html).text
    summary = post.summary([rs.PassAtK(8), rs.PassHatK(8)]).set_index(["system", "estimand"])
    for system in post.systems:
        for name in ("pass@8", "pass^8"):
            mean = summary.loc[(system, name), "mean"]
            assert f"{100 * mean:.0f}% [" in text
    assert "capability (pass@8)" in text
    assert "reliability (pass^8)" in text


def test_names_every_blind_spot(html, post):
    text = Page(html).text
    for sentence in blind_spots(post.trials):
        assert sentence in text
    assert len(blind_spots(post.trials)) == len(BLIND_SPOTS)


def test_what_was_looked_at_is_no_blind_spot():
    frame = pd.DataFrame(
        {
            "system": "a",
            "task": [1, 1, 2, 2],
            "success": [1, 0, 1, 1],
            "when": ["2026-01-01", "2026-01-02"] * 2,
        }
    )
    trials = rs.Trials.from_frame(frame, time="when")
    told = blind_spots(trials)
    assert len(told) == len(BLIND_SPOTS) - 1
    assert not any("Drift" in sentence for sentence in told)


def test_names_are_text_in_html(tmp_path):
    trials = rs.Trials.from_array(outcomes(2, 5, 3), systems=[NASTY, "b"])
    page = Page(rs.report(trials, tmp_path / "r.html", title=NASTY).read_text("utf-8"))
    assert "script" not in page.tags
    assert NASTY in page.text


def test_names_are_escaped_in_latex_and_markdown(tmp_path):
    trials = rs.Trials.from_array(outcomes(2, 5, 3), systems=[NASTY, "b"])
    latex = rs.report(trials, tmp_path / "r.tex").read_text("utf-8")
    escaped = r"\& \%\_\#\{\} \textbackslash{} é \$x\textasciicircum{}2\$"
    assert escaped in latex
    assert NASTY not in latex
    markdown = rs.report(trials, tmp_path / "r.md").read_text("utf-8")
    assert "<script>" not in markdown
    assert r"\<script\>" in markdown


def test_figures_of_text_formats_lie_beside(post, tmp_path):
    latex = rs.report(post, tmp_path / "a.tex").read_text("utf-8")
    names = re.findall(r"\\includegraphics\[[^]]*\]\{([^}]+)\}", latex)
    assert len(names) == 3
    assert all((tmp_path / name).read_bytes().startswith(b"%PDF") for name in names)
    markdown = rs.report(post, tmp_path / "b.md").read_text("utf-8")
    names = re.findall(r"\]\(<([^>]+)>\)", markdown)
    assert len(names) == 3
    assert all("<svg" in (tmp_path / name).read_text("utf-8") for name in names)


def test_latex_environments_close(post, tmp_path):
    latex = rs.report(post, tmp_path / "a.tex").read_text("utf-8")
    stack = []
    for verb, name in re.findall(r"\\(begin|end)\{(\w+)\}", latex):
        if verb == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack


def test_the_same_report_twice(post, tmp_path):
    for name in ("a.html", "b.html"):
        rs.report(post, tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_one_trial_a_task_says_that_repetition_was_not_seen(tmp_path):
    trials = rs.Trials.from_array(outcomes(1, 20, 1))
    text = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8")).text
    assert "No task was tried twice" in text
    assert "not identified" in text
    assert "What one trial shows" in text


def test_unidentified_reliability_is_not_given_as_a_number(tmp_path):
    rows = outcomes(2, 20, 2)
    rows[1, :, 1] = np.nan
    trials = rs.Trials.from_array(rows)
    with pytest.warns(IdentifiabilityWarning):
        text = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8")).text
    assert "not identified" in text


def test_bounds_show_both_ends(tmp_path):
    success = outcomes(10, 4).ravel()
    success[:3] = np.nan
    frame = pd.DataFrame({"system": "a", "task": np.repeat(np.arange(10), 4), "success": success})
    trials = rs.Trials.from_frame(frame, missing="bounds")
    text = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8")).text
    assert "With missing outcomes as failures" in text
    assert "With missing outcomes as successes" in text


def test_many_systems_get_a_table(tmp_path):
    trials = rs.Trials.from_array(outcomes(15, 6, 3))
    page = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8"))
    assert "article" not in page.tags
    assert "systems; 9 more are in the table" in page.text


def test_all_alike_has_no_task_in_between(tmp_path):
    trials = rs.Trials.from_array(np.ones((1, 10, 4)))
    text = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8")).text
    assert "No task both succeeded and failed" in text


def test_characters_that_the_font_lacks(tmp_path):
    trials = rs.Trials.from_array(outcomes(2, 5, 3), systems=["中文", "b"])
    page = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8"))
    assert "中文" in page.text


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("r.pdf", {}, r"path must end in .html, .md or .tex, not 'r.pdf'"),
        ("r.html", {"k": 1}, "k must be"),
        ("r.html", {"over": "all"}, "over must be"),
        ("r.html", {"prob": 2}, "prob must"),
        ("r.html", {"capable": 2}, "capable must"),
        ("r.html", {"dependable": -1}, "dependable must"),
    ],
)
def test_refused(post, tmp_path, name, options, message):
    with pytest.raises(ArgumentError, match=message):
        rs.report(post, tmp_path / name, **options)


def test_refuses_what_is_no_posterior(tmp_path):
    with pytest.raises(ArgumentError, match="Posterior or Trials, not DataFrame"):
        rs.report(rs.fit(rs.datasets.load("rat-tumors")).summary(), tmp_path / "r.html")


def test_without_jinja2(post, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"reliability-stats\[report\]"):
        rs.report(post, tmp_path / "r.html")
    assert rs.report(post, tmp_path / "r.md").exists()


def test_sources_are_those_of_the_methods_used():
    assert not used(["success_rate"], models={"X"}, method="nuts", regions=False, labels=False)
    everything = used(
        ["pass@4", "pass^4", "icc"],
        models={"BetaBinomial", "GridMixture"},
        method="quadrature",
        regions=True,
        labels=True,
    )
    assert {work.key for work in everything} == set(SOURCES)
    for work in SOURCES.values():
        assert re.search(r"doi = \{10\.\d{4,}/\S+\}", work.bibtex)


def test_verdicts_and_zones_stand_beside_the_numbers(html):
    text = Page(html).text
    assert "Flickering competence: more than 20% of tasks flicker" in text
    assert "steady Locally persistent: on 29 of 60 tasks" in text
    assert "4 of 8 flickering 1.00" in text
    assert "all systems: could not be checked: the order is not known" in text
    assert "flickering capable but flickering 0.00 1.00 0.00 0.00" in text
    assert "Newton, Michael A." in text
    assert "Ferguson, Thomas S." in text
    assert " failed system" not in text


def test_singular_achievements_are_listed(tmp_path):
    rows = np.zeros((2, 10, 4))
    rows[0, 9] = [1, 1, 0, 1]
    rows[1, :5] = 1
    trials = rs.Trials.from_array(rows, systems=["a", "b"])
    text = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8")).text
    assert "Singular achievements" in text
    assert re.search(r"a 9 3 of 4 [01]\.\d\d 0\.\d\d 0\.\d\d", text)
    assert "no groups of users or families of tasks were named" in text


def test_no_singular_achievement_is_said(html):
    assert "Singular achievements: none." in Page(html).text


def test_local_fit_of_groups_is_said(tmp_path):
    frame = pd.DataFrame(
        [
            {"system": "s", "task": f"{where}{task}", "where": where, "success": success}
            for where, wins in (("billing", 10), ("travel", 3))
            for task in range(12 if where == "billing" else 24)
            for success in [1] * wins + [0] * (10 - wins)
        ]
    )
    trials = rs.Trials.from_frame(frame, group="where")
    text = Page(rs.report(trials, tmp_path / "r.html").read_text("utf-8")).text
    assert "s locally fitted: billing. Success rate" in text


def test_flags_of_ones_own_choice(post, tmp_path):
    flags = rs.flag_flicker(post, low=0.3, high=0.7, tolerance=0.5)
    text = rs.report(post, tmp_path / "r.md", flags=flags).read_text("utf-8").replace("\\", "")
    assert "flickers if 0.3 < p < 0.7" in text
    assert "more than 50% of its tasks" in text
    assert "Undetermined (one model)" in text


def test_zones_at_ones_own_thresholds(post, tmp_path):
    file = rs.report(post, tmp_path / "r.md", flags=rs.flag_flicker(post), dependable=0.05)
    text = file.read_text("utf-8").replace("\\", "")
    assert "| flickering | dependable |" in text
    assert "with probability of at least 0.05" in text


def test_refuses_flags_of_other_trials(post, tmp_path):
    other = rs.flag_flicker(rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")))
    with pytest.raises(ArgumentError, match="flags must be of the trials that are reported"):
        rs.report(post, tmp_path / "r.md", flags=other)
    with pytest.raises(ArgumentError, match="what flag_flicker gives, not list"):
        rs.report(post, tmp_path / "r.md", flags=[])


def test_many_systems_are_not_judged_by_a_second_model(tmp_path):
    trials = rs.Trials.from_array(outcomes(13, 4, 3))
    text = rs.report(trials, tmp_path / "r.md").read_text("utf-8")
    assert "Undetermined \\(one model\\)" in text


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
def test_chromium_shows_it_without_complaint(tmp_path):
    trials = rs.Trials.from_array(outcomes(2, 5, 3), systems=[NASTY, "b"])
    file = rs.report(trials, tmp_path / "r.html")
    quiet = "--disable-gpu --disable-quic --no-first-run --disable-background-networking"
    done = subprocess.run(
        [
            "chromium",
            *("--headless", "--no-sandbox", "--enable-logging=stderr", *quiet.split()),
            *("--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'u'}"),
            *("--virtual-time-budget=2000", "--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr
    assert 'alert("x")' in Page(done.stdout).text
    assert "What this report does not show" in done.stdout

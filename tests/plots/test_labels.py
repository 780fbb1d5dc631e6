import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from reliability_stats.plots import _style as style
from reliability_stats.plots._labels import label_axes, numbered, shorten_to, text_sizes
from reliability_stats.plots._placement import place, spread
from reliability_stats.plots._text import in_two_lines, literal, percent, shorten, shorten_all


@pytest.mark.parametrize("name", ["$x$", r"\$a\$", "a$", "$", r"\alpha $x_1^2$", "50% #1 ~^ {b}"])
def test_literal_text_is_drawn_as_it_is(name):
    text = plt.figure().text(0, 0, literal(name))
    drawn, is_math = text._preprocess_math(text.get_text())
    assert (drawn, is_math) == (name, False)


def test_literal_text_is_escaped_for_tex():
    with mpl.rc_context({"text.usetex": True}):
        assert literal("a_b 50% $x^2$ {&#~\\") == (
            r"a\_b 50\% \$x\textasciicircum{}2\$ \{\&\#\textasciitilde{}\textbackslash{}"
        )


def test_names_are_shortened_in_the_middle():
    assert shorten("short", 5) == "short"
    assert shorten("abcdefghij", 7) == "abc…hij"
    assert shorten("abcdefghij", 6) == "abc…ij"
    assert shorten("two\nlines\tand\x00more", 40) == "two lines and more"
    assert shorten("  ", 10) == "(blank)"
    assert all(len(shorten("x" * 50, limit)) == limit for limit in range(3, 50))


def test_shortened_names_stay_different():
    names = ["prefix-" + "x" * 30 + f"{i}" + "y" * 30 + "-suffix" for i in range(5)]
    short = shorten_all([*names, "other"], 12)
    assert len(set(short)) == 6
    assert short[-1] == "other"
    assert len(shorten_all(["a" * 60, "b" * 60], 12)[0]) == 12
    assert shorten_all(["same" * 20] * 2, 12)[0] == shorten_all(["same" * 20], 12)[0]


def test_long_names_break_at_a_separator():
    assert in_two_lines("short_name", 10) == "short_name"
    assert in_two_lines("20250811_cursor-cli_claude-4", 12) == "20250811_\ncursor-cli_claude-4"
    assert in_two_lines("abcdefghijkl", 6) == "abcdef\nghijkl"
    assert in_two_lines("another short word", 6) == "another\nshort word"


@pytest.mark.parametrize(("prob", "text"), [(0.95, "95%"), (0.999, "99.9%"), (0.5, "50%")])
def test_percent(prob, text):
    assert percent(prob) == text


def test_placed_labels_avoid_marks_lines_and_each_other():
    rng = np.random.default_rng(0)
    marks = rng.uniform(40, 260, (30, 2))
    sizes = np.tile([12.0, 8.0], (30, 1))
    frame = np.array([[0.0, 0.0], [300.0, 300.0]])
    offsets, distance = place(marks, sizes, frame, np.empty((0, 2)), np.empty((0, 2)))
    centres = marks + offsets
    for i in range(30):
        gap = np.abs(centres[i] - np.delete(centres, i, axis=0))
        assert ((gap[:, 0] > 12) | (gap[:, 1] > 8)).all()
        clear = np.abs(marks - centres[i])
        assert ((clear[:, 0] > 6) | (clear[:, 1] > 4)).all()
    assert (centres - sizes / 2 >= 0).all()
    assert (centres + sizes / 2 <= 300).all()
    assert distance.max() < 60


def test_spread_moves_as_little_as_needed():
    np.testing.assert_allclose(spread(np.array([0.2, 0.8]), 0.1, 0, 1), [0.2, 0.8])
    np.testing.assert_allclose(spread(np.array([0.5, 0.5]), 0.2, 0, 1), [0.4, 0.6])
    out = spread(np.array([0.98, 0.99, 0.1]), 0.1, 0, 1)
    np.testing.assert_allclose(out, [0.9, 1.0, 0.1])
    crowded = np.sort(spread(np.full(20, 0.5), 0.3, 0, 1))
    np.testing.assert_allclose(np.diff(crowded), 1 / 19)
    assert spread(np.empty(0), 0.1, 0, 1).size == 0


def test_keys_are_numbered_and_fit():
    _, ax = plt.subplots()
    names = [f"a-rather-long-name-of-a-system-number-{i}" for i in range(40)]
    texts, columns = numbered(ax, names, 250.0)
    assert columns == 2
    assert [int(text.split()[0]) for text in texts] == list(range(1, 41))
    assert len(set(texts)) == 40
    texts, columns = numbered(ax, ["a", "b", "c", "d"], 250.0)
    assert (texts, columns) == (["1  a", "2  b", "3  c", "4  d"], 4)


def test_names_are_shortened_to_a_width():
    _, ax = plt.subplots()
    names = ["x" * 80, "y" * 10]
    room = 150.0
    short = shorten_to(ax, names, room)
    assert text_sizes(ax, short, style.small())[:, 0].max() <= room
    assert short[1] == names[1]


def test_long_axis_labels_are_broken():
    _, ax = plt.subplots(figsize=(2, 2))
    label_axes(ax, x="first part of a long label, and its second part", y="short, label")
    assert ax.get_xlabel() == "first part of a long label,\nand its second part"
    assert ax.get_ylabel() == "short, label"


def test_the_first_63_systems_look_different():
    looks = {(style.system_look(i).face, style.system_look(i).marker) for i in range(63)}
    assert len(looks) == 63


def luminance(colour):
    r, g, b = mpl.colors.to_rgb(colour)
    return 0.2126 * r**2.2 + 0.7152 * g**2.2 + 0.0722 * b**2.2


def test_states_differ_in_grey():
    """In lightness (CIE L*), where about 2 is just visible side by side."""
    grey = [116 * luminance(look.face) ** (1 / 3) - 16 for look in style.STATES.values()]
    assert np.diff(grey).min() > 12
    assert len({look.marker for look in style.STATES.values()}) == 3

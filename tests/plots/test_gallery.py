"""The gallery shows every plot, by the example of its docstring."""

import importlib.util
from pathlib import Path

import pytest

import reliability_stats as rs

FILE = Path(__file__).resolve().parents[2] / "docs" / "plot_gallery.py"
SPEC = importlib.util.spec_from_file_location("plot_gallery", FILE)
gallery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gallery)
NAMES = gallery.plots_of(rs.plots)


@pytest.mark.parametrize("name", NAMES)
def test_every_plot_has_an_example_that_leaves_a_picture_to_save(name):
    plot = getattr(rs.plots, name)
    code = gallery.example_of(plot)
    assert f"ax = rs.plots.{name}(" in code
    assert "plt.close" not in code
    compile(code, name, "exec")
    assert gallery.summary_of(plot).endswith(".")


def test_the_page_is_written(tmp_path):
    class Few:
        __all__ = ("pass_curves", "pass_curves_data", "style")
        pass_curves = staticmethod(rs.plots.pass_curves)

    text = gallery.write(Few, tmp_path).read_text()
    assert (tmp_path / "pass_curves.png").stat().st_size > 5000
    assert ".. image:: pass_curves.png" in text
    assert "   ax = rs.plots.pass_curves(post, k_max=8)" in text
    assert "style" not in text.split("by the function")[1]

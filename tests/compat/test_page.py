"""The page on other packages shows what its code gives."""

import ast
import re
from pathlib import Path

import pandas as pd

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "other-packages.md"


def test_tables_on_the_page_are_those_of_its_code():
    names, last, shown = {}, None, 0
    blocks = re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for kind, text in blocks:
        if kind == "python":
            *body, end = ast.parse(text).body
            exec(compile(ast.Module(body, []), "page", "exec"), names)
            if isinstance(end, ast.Expr):
                last = eval(compile(ast.Expression(end.value), "page", "eval"), names)
            continue
        assert isinstance(last, pd.DataFrame)
        assert last.to_string().split() == text.split()
        shown += 1
    assert shown == 4

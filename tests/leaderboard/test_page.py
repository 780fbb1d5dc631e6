import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "published-figures.md"


def test_the_code_of_the_page_runs_and_its_numbers_hold():
    text = PAGE.read_text(encoding="utf-8")
    names = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)), names)
    rs, found = names["rs"], names["found"]
    shown = re.sub(
        r"^# ?", "", text[text.index("#    system") : text.index("```\n\n| status")], flags=re.M
    )
    columns = found[["system", "status", "n_solutions", "histogram"]]
    assert columns.to_string().split() == shown.split()
    table = names["bounds"](names["board"], rs.PassHatK(8)).round(3)
    sharp, model = table.iloc[0], table.iloc[1]
    numbers = [
        model["mean"],
        model["lower"],
        model["upper"],
        sharp["set_lower"],
        sharp["set_upper"],
    ]
    numbers += [sharp["lower"], sharp["upper"]]
    said = text.partition("In the example pass^8 is")[2].partition("with sampling error")[0]
    assert [float(x) for x in re.findall(r"\.\d{3}", said)] == numbers

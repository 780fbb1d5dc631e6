"""What each embedded dataset is, where it comes from, and how it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill

from .._counts import html_table

_PARTS = ("title", "citation", "url", "licence", "size", "notes")


@dataclass(frozen=True, repr=False)
class Description:
    """Origin and terms of a dataset; given by `describe`.

    Attributes
    ----------
    name : str
        What `load` takes.
    title : str
        One line.
    citation : str
        Whom to cite.
    url : str
        Address or DOI of the source.
    licence : str
        Terms of use.
    size : str
        Systems, tasks and trials.
    notes : str
        What to know before use.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.datasets.describe("rat-tumors").url
    'https://doi.org/10.2307/2530304'
    """

    name: str
    title: str
    citation: str
    url: str
    licence: str
    size: str
    notes: str

    def __repr__(self) -> str:
        """Lay the parts out for reading."""
        lines = [self.name]
        for part in _PARTS:
            head = f"  {part:<9} "
            lines.append(
                fill(
                    getattr(self, part),
                    width=79,
                    initial_indent=head,
                    subsequent_indent=" " * len(head),
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        rows = [(part, getattr(self, part)) for part in _PARTS]
        return html_table(self.name, rows)


_TAU = (
    "Yao, Shinn, Razavi and Narasimhan (2024). tau-bench: A Benchmark for Tool-Agent-User "
    "Interaction in Real-World Domains. arXiv:2406.12045."
)
_GYM = (
    "ResearchGym: evaluating language model agents on end-to-end AI research (2026). "
    "arXiv:2602.15112."
)

CATALOGUE = {
    entry.name: entry
    for entry in (
        Description(
            name="tau-bench-airline-gpt4o",
            title="gpt-4o with tool calling on the airline tasks of tau-bench",
            citation=_TAU,
            url="https://arxiv.org/abs/2406.12045",
            licence=(
                "Counts of successes of the runs that the authors published with tau-bench, "
                "https://github.com/sierra-research/tau-bench, MIT licence."
            ),
            size="1 system x 50 tasks, 4 trials each",
            notes=(
                "Task labels are tau-bench's task ids. Reproduces the published pass^1 to pass^4 "
                "of .420, .273, .220 and .200. Some tasks have been corrected since, so newer runs "
                "are not comparable."
            ),
        ),
        Description(
            name="tau-bench-airline-react",
            title="gpt-4o with ReAct on the airline tasks of tau-bench, reconstructed",
            citation=_TAU,
            url="https://github.com/sierra-research/tau-bench",
            licence="Reconstructed from published figures; tau-bench is under the MIT licence.",
            size="1 system x 50 tasks, 4 trials each",
            notes=(
                "RECONSTRUCTED, not raw data. With 50 tasks and 4 trials each, the published "
                "pass^1 to pass^4 of .325, .233, .185 and .160 fit one histogram of successes "
                "only: 26, 4, 7, 5 and 8 tasks with 0, 1, 2, 3 and 4. Which task had which count "
                "is not known: labels are arbitrary, and must not be matched with other systems' "
                "tasks."
            ),
        ),
        Description(
            name="researchgym",
            title="An agent on ResearchGym: runs that improve on the baseline, reconstructed",
            citation=_GYM,
            url="https://arxiv.org/abs/2602.15112",
            licence="Reconstructed from published figures.",
            size="1 system x 5 tasks, 3 trials each",
            notes=(
                "RECONSTRUCTED, not raw data. Published is that 1 of 15 evaluations (5 tasks, 3 "
                "runs each) improves on the baseline it is given, by 11.5%, and that 26.5% of the "
                "39 sub-tasks are completed on average. One success in 15 runs leaves one "
                "histogram: four tasks with 0 of 3, one with 1 of 3. The labels are arbitrary."
            ),
        ),
        Description(
            name="rat-tumors",
            title="Tumours in 71 groups of control rats, a classic of hierarchical models",
            citation=(
                "Tarone (1982). The use of historical control information in testing for a trend "
                "in proportions. Biometrics 38, 215-220. Also Gelman et al. (2013), Bayesian Data "
                "Analysis, 3rd ed., Table 5.1."
            ),
            url="https://doi.org/10.2307/2530304",
            licence="Published figures.",
            size="1 system x 71 tasks (experiments), 10 to 52 trials (rats) each",
            notes=(
                "A 'success' is a tumour, here only an event that happens or not. 267 of 1739 "
                "rats had one. Experiment 71 is the one under study in the book, 4 of 14; the "
                "others are its historical controls."
            ),
        ),
        Description(
            name="simulated-three-systems",
            title="Three simulated systems with known truth: steady, flickering, narrow",
            citation="Made for this package; cite the package.",
            url="https://github.com/reliability-stats/reliability_stats",
            licence="Apache-2.0, as the package.",
            size="3 systems x 60 tasks, 8 trials each",
            notes=(
                "True p of task t = 0..59: 'steady' .97 for t < 36, otherwise .03; "
                "'flickering' .889 - .01 t; 'narrow' .98 for t >= 48, otherwise .01. The first "
                "two have the same true success rate of .594, but steady nearly always repeats "
                "what it can do and flickering rarely does; narrow does few tasks, which are those "
                "that the others fail at, and does them dependably. truth() gives p. Made by "
                "rs.simulate({system: p}, trials=8, rng=1)."
            ),
        ),
    )
}

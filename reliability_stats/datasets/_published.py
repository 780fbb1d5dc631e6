"""Published figures that are embedded: what they are, and where they come from."""

from __future__ import annotations

from ._catalogue import _GYM, _TAU, Description

_TAU2 = (
    "Barres, Dong, Ray, Si and Narasimhan (2025). tau2-bench: Evaluating Conversational Agents in "
    "a Dual-Control Environment. arXiv:2506.07982."
)
_SWE = (
    "Jimenez et al. (2024). SWE-bench: Can Language Models Resolve Real-World GitHub Issues? "
    "arXiv:2310.06770; Yang et al. (2024). SWE-agent. arXiv:2405.15793."
)

FIGURES = {
    entry.name: entry
    for entry in (
        Description(
            name="tau-bench-ladders",
            title="pass^1 to pass^4 of tau-bench, airline and retail",
            citation=_TAU,
            url="https://github.com/sierra-research/tau-bench",
            licence="Published figures: README, three decimals; the repository is MIT.",
            size="9 ladders: 6 systems x 50 airline tasks, 3 systems x 115 retail tasks, 4 trials",
            notes=(
                "Values are text, with the printed digits. The four rows of "
                "claude-3-5-sonnet fit no histogram of 4 trials a task: see reconstruct."
            ),
        ),
        Description(
            name="tau2-bench-ladders",
            title="pass^1 to pass^4 of tau2-bench, airline, retail and telecom",
            citation=_TAU2,
            url="https://github.com/sierra-research/tau2-bench",
            licence=(
                "Published figures: web/leaderboard/public/submissions at commit a2c0247; the "
                "repository is MIT."
            ),
            size="46 ladders of 16 submissions on 50 to 114 tasks, 4 trials",
            notes=(
                "Percentages divided by 100, at most six decimals kept. Settings name the "
                "submission. Whether a ladder rests on 4 trials of every task is for reconstruct "
                "to say: some do not."
            ),
        ),
        Description(
            name="swe-bench-bash-only",
            title="A leaderboard of single runs: SWE-bench Verified, bash only",
            citation=_SWE,
            url="https://www.swebench.com",
            licence="Published figures, as listed in December 2025.",
            size="31 systems x 500 tasks, one run each",
            notes=(
                "Percentages divided by 100. Eight of the scores are no whole number of 500 "
                "tasks, so that they are not a share of one run of all tasks."
            ),
        ),
        Description(
            name="researchgym-best-scores",
            title="Best scores over runs on the research tasks of ResearchGym",
            citation=_GYM,
            url="https://anikethh.github.io/ResearchGym",
            licence="Published figures.",
            size="3 systems x 5 tasks, the best of several runs each",
            notes=(
                "Shares of the state of the art, which may exceed 1. Empty where nothing was "
                "listed. How many runs the best was taken of is not stated."
            ),
        ),
    )
}

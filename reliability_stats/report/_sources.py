"""Where the methods of a report come from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ._document import Source


def _article(
    key: str, method: str, authors: str, title: str, where: str, year: int, doi: str
) -> Source:
    """Make a source that is a paper."""
    text = f"{authors.replace(' and ', ', ')} ({year}). {title}. {where}. https://doi.org/{doi}"
    bibtex = (
        f"@article{{{key},\n  author = {{{authors}}},\n  title = {{{{{title}}}}},\n"
        f"  journal = {{{where}}},\n  year = {{{year}}},\n  doi = {{{doi}}}\n}}"
    )
    return Source(key, method, text, bibtex)


SOURCES = {
    source.key: source
    for source in (
        _article(
            "chen2021",
            "pass@k, any of k trials succeeds",
            "Chen, Mark and others",
            "Evaluating large language models trained on code",
            "arXiv",
            2021,
            "10.48550/arXiv.2107.03374",
        ),
        _article(
            "yao2024",
            "pass^k, all of k trials succeed",
            "Yao, Shunyu and Shinn, Noah and Razavi, Pedram and Narasimhan, Karthik",
            "tau-bench: a benchmark for tool-agent-user interaction in real-world domains",
            "arXiv",
            2024,
            "10.48550/arXiv.2406.12045",
        ),
        _article(
            "skellam1948",
            "the beta-binomial model of tasks",
            "Skellam, John Gordon",
            "A probability distribution derived from the binomial distribution by regarding the "
            "probability of success as variable between the sets of trials",
            "Journal of the Royal Statistical Society B",
            1948,
            "10.1111/j.2517-6161.1948.tb00014.x",
        ),
        _article(
            "trefethen2014",
            "quadrature of the posterior",
            "Trefethen, Lloyd N. and Weideman, J. A. C.",
            "The exponentially convergent trapezoidal rule",
            "SIAM Review",
            2014,
            "10.1137/130932132",
        ),
        _article(
            "ridout1999",
            "the intra-class correlation of binary trials",
            "Ridout, Martin S. and Demetrio, Clarice G. B. and Firth, David",
            "Estimating intraclass correlation for binary data",
            "Biometrics",
            1999,
            "10.1111/j.0006-341X.1999.00137.x",
        ),
        _article(
            "hyndman1996",
            "joint regions of capability and reliability",
            "Hyndman, Rob J.",
            "Computing and graphing highest density regions",
            "The American Statistician",
            1996,
            "10.1080/00031305.1996.10473359",
        ),
        _article(
            "newton2004",
            "labels of tasks with few expected errors",
            "Newton, Michael A. and Noueiry, Amine and Sarkar, Deepayan and Ahlquist, Paul",
            "Detecting differential gene expression with a semiparametric hierarchical mixture "
            "method",
            "Biostatistics",
            2004,
            "10.1093/biostatistics/5.2.155",
        ),
        _article(
            "ferguson1973",
            "the model of tasks without a shape",
            "Ferguson, Thomas S.",
            "A Bayesian analysis of some nonparametric problems",
            "The Annals of Statistics",
            1973,
            "10.1214/aos/1176342360",
        ),
    )
}
"""By key; a report names those whose methods it used."""


def used(
    estimands: Sequence[str],
    *,
    models: Collection[str],
    method: str,
    regions: bool,
    labels: bool,
) -> tuple[Source, ...]:
    """Choose the sources of what a report used, in the order above."""
    wanted = set()
    if any(name.startswith(("pass@", "gap")) for name in estimands):
        wanted.add("chen2021")
    if any(name.startswith(("pass^", "gap")) for name in estimands):
        wanted.add("yao2024")
    if "icc" in estimands:
        wanted.add("ridout1999")
    if "BetaBinomial" in models:
        wanted.add("skellam1948")
    if method.startswith("quadrature"):
        wanted.add("trefethen2014")
    if "GridMixture" in models:
        wanted.add("ferguson1973")
    if regions:
        wanted.add("hyndman1996")
    if labels:
        wanted.add("newton2004")
    return tuple(source for key, source in SOURCES.items() if key in wanted)

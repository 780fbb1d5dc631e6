"""Command line: from a table of trials to capability and reliability, side by side.

``reliability-stats analyze FILE``, ``reliability-stats demo`` and ``reliability-stats datasets``.
Heavy imports wait until the arguments are understood.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .trials import Trials

OK, DATA_ERROR, USAGE_ERROR = 0, 1, 2
INTERRUPTED, PIPE_CLOSED = 130, 141
FIGURE_FORMATS = ("png", "pdf", "svg")

DESCRIPTION = """\
How capable is an AI system, and how reliable? From repeated trials of tasks:
capability (pass@k: at least one of k trials succeeds) and structural
reliability (pass^k: all k succeed), with calibrated uncertainty."""

EXAMPLES = """\
examples:
  reliability-stats demo
  reliability-stats analyze runs.csv
  reliability-stats analyze runs.csv --system model --task task_id --success passed
  reliability-stats analyze counts.csv --n n_trials --successes n_success --k 8
  reliability-stats analyze runs.parquet --missing failure --over observed --out results
"""

ANALYZE = """\
FILE has one row a trial (system, task, success) or one row a cell (system, task,
n, successes). Columns of these and other common names are found, and the report
says which were used; name others with options. An empty name, as in --trial '',
says that there is none."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        0 if all is well, 1 if the data cannot be used, 2 if the arguments cannot, 130 if
        interrupted.

    Examples
    --------
    >>> from reliability_stats.cli import main
    >>> main(["datasets", "rat-tumors"])
    rat-tumors
      title     Tumours in 71 groups of control rats, a classic of hierarchical models
    ...
    0
    """
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        with _clean_warnings():
            return int(arguments.run(arguments))
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; keep Python from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        return _explain(error)


def _explain(error: Exception) -> int:
    """Print one clear message for errors that users can mend; raise the others."""
    from ._cli_input import ShapeError
    from .exceptions import ReliabilityStatsError

    if isinstance(error, ReliabilityStatsError):
        message = _for_shell(str(error))
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        message = f"{where}{error.strerror or error}."
    else:
        raise error
    print(f"reliability-stats: error: {message}", file=sys.stderr)
    return USAGE_ERROR if isinstance(error, ShapeError) else DATA_ERROR


def _for_shell(message: str) -> str:
    """Turn advice on Python arguments into advice on options."""
    message = re.sub(r"\bmissing='(\w+)'", r"--missing \1", message)
    message = message.replace("with missing=:", "with --missing:")
    return message.replace(
        "or leave trial out if they are trials",
        "name the column that tells them apart with --condition, or say --trial '' if they are "
        "trials",
    )


@contextmanager
def _clean_warnings() -> Iterator[None]:
    """Print each warning of the package once, as one line on standard error."""
    from .exceptions import ReliabilityStatsWarning

    seen: set[str] = set()
    with warnings.catch_warnings():
        default = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
            if not issubclass(category, ReliabilityStatsWarning):
                default(message, category, *rest, **named)
            elif str(message) not in seen:
                seen.add(str(message))
                print(f"warning: {_for_shell(str(message))}", file=sys.stderr)

        warnings.showwarning = show
        warnings.simplefilter("always", ReliabilityStatsWarning)
        yield


def _parser() -> argparse.ArgumentParser:
    """Build the parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="reliability-stats", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=raw
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    analyze = commands.add_parser(
        "analyze",
        help="analyse a table of trials: CSV, TSV or Parquet",
        description=ANALYZE,
        epilog=EXAMPLES,
        formatter_class=raw,
    )
    _table_options(analyze)
    _analysis_options(analyze)
    analyze.set_defaults(run=_analyze)
    demo = commands.add_parser(
        "demo",
        help="the same on an embedded dataset",
        description="Analyse an embedded dataset.",
    )
    demo.add_argument(
        "--dataset",
        metavar="NAME",
        default="tau-bench-airline-gpt4o",
        help="one of those that 'reliability-stats datasets' lists (default: %(default)s)",
    )
    _analysis_options(demo)
    demo.set_defaults(run=_demo)
    datasets = commands.add_parser(
        "datasets",
        help="list the embedded datasets, with sources and terms",
        description="List the embedded datasets, with sources and terms.",
    )
    datasets.add_argument("name", nargs="?", metavar="NAME", help="show this one only")
    datasets.set_defaults(run=_datasets)
    return parser


def _table_options(parser: argparse.ArgumentParser) -> None:
    """Add what says how to read a file."""
    parser.add_argument("file", metavar="FILE", help="table; - reads standard input as CSV")
    table = parser.add_argument_group("table")
    for name, text in (
        ("system", "the system"),
        ("task", "the task"),
        ("success", "the outcome of a trial: 1/0, true/false, ...; empty is missing"),
        ("trial", "tells trials of a task apart, so that copies are found"),
        ("status", "ok, agent_failure, infra_error, grader_error or missing"),
        ("n", "trials of a cell, in a table with one row a cell"),
        ("successes", "successes of a cell"),
    ):
        table.add_argument(f"--{name}", metavar="COLUMN", help=text)
    table.add_argument(
        "--condition",
        metavar="COLUMN",
        action="append",
        help="the condition; repeat it for several columns",
    )
    table.add_argument(
        "--missing",
        choices=("raise", "drop", "failure", "bounds"),
        help="missing outcomes: refuse them, leave them out, count them as failures, or analyse "
        "them as failures and as successes (default: raise)",
    )
    table.add_argument(
        "--format", choices=("csv", "tsv", "parquet"), help="of FILE (default: by its name)"
    )


def _analysis_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every analysis."""
    analysis = parser.add_argument_group("analysis")
    analysis.add_argument(
        "--k",
        type=_k,
        help="trials that pass@k and pass^k are about (default: as many as most tasks have)",
    )
    analysis.add_argument(
        "--prob", type=_prob, default=0.95, help="mass of the intervals (default: %(default)s)"
    )
    analysis.add_argument(
        "--over",
        choices=("population", "observed"),
        default="population",
        help="tasks like these, or only those in the table (default: %(default)s)",
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "--out", type=Path, metavar="DIR", help="write summary.csv, tasks.csv and three figures"
    )
    files.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a report: FILE ends in .html, .md or .tex",
    )
    files.add_argument(
        "--figure-format",
        type=_formats,
        default=("png", "pdf"),
        metavar="LIST",
        help="of figures: png, pdf, svg, separated by commas (default: png,pdf)",
    )


def _k(text: str) -> int:
    """Read a number of trials."""
    try:
        k = int(text)
    except ValueError:
        k = 0
    if k < 2:
        raise argparse.ArgumentTypeError(
            f"k must be an integer of at least 2, not {text!r}; with one trial, capability and "
            "reliability are the same"
        )
    return k


def _prob(text: str) -> float:
    """Read an interval mass."""
    try:
        prob = float(text)
    except ValueError:
        prob = 0.0
    if not 0 < prob < 1:
        hint = f" (did you mean {prob / 100:g}?)" if 1 < prob < 100 else ""
        raise argparse.ArgumentTypeError(f"prob must lie between 0 and 1, not {text!r}{hint}")
    return prob


def _formats(text: str) -> tuple[str, ...]:
    """Read a list of figure formats."""
    formats = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    for name in formats:
        if name not in FIGURE_FORMATS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(FIGURE_FORMATS)}")
    return formats


def _analyze(arguments: argparse.Namespace) -> int:
    """Analyse a file."""
    from ._cli_input import load

    roles = ("system", "task", "success", "trial", "status", "n", "successes", "condition")
    given = {role: getattr(arguments, role) for role in roles}
    loaded = load(arguments.file, kind=arguments.format, given=given, missing=arguments.missing)
    used = ", ".join(
        f"{role} = {column if isinstance(column, str) else ' / '.join(column)}"
        for role, column in loaded.roles.items()
    )
    unused = ", ".join(name or "(unnamed)" for name in loaded.unused) or "none"
    about = [
        ("file", f"{arguments.file}, {loaded.kind}"),
        ("columns", f"{used}; not used: {unused}"),
    ]
    return _report(loaded.trials, arguments, about)


def _demo(arguments: argparse.Namespace) -> int:
    """Analyse an embedded dataset."""
    from .datasets import describe, load

    about = describe(arguments.dataset)
    lines = [("dataset", f"{about.name}: {about.title}"), ("source", about.citation)]
    return _report(load(arguments.dataset), arguments, lines)


def _datasets(arguments: argparse.Namespace) -> int:
    """List embedded datasets."""
    from .datasets import available, describe

    names = [arguments.name] if arguments.name is not None else available()
    _write("\n\n".join(repr(describe(name)) for name in names) + "\n")
    return OK


def _report(trials: Trials, arguments: argparse.Namespace, about: list[tuple[str, str]]) -> int:
    """Fit, print and write; twice if missing outcomes are to be bounded."""
    from ._cli_files import write
    from ._cli_report import Report, make_console
    from .fitting import fit

    ends: list[tuple[str, Trials]] = [("", trials)]
    if trials.missing_policy == "bounds" and trials.n_missing:
        ends = [(end, trials.complete(end)) for end in ("failure", "success")]
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
    for end, part in ends:
        report = Report(fit(part), k=arguments.k, over=arguments.over, prob=arguments.prob)
        console, buffer = make_console()
        if end:
            console.rule(f"Missing outcomes counted as {end}", characters="=")
        report.show(console, about)
        _write(buffer.getvalue())
        if arguments.out is not None:
            directory = arguments.out / f"missing-as-{end}" if end else arguments.out
            names = write(report, directory, arguments.figure_format)
            listed = f"Wrote to {directory}: {', '.join(path.name for path in names)}"
            _write(f"\n{fill(listed, console.width, break_long_words=False)}\n")
        if end == "failure":
            _write("\n")
    if arguments.report is not None:
        from .report import report as write_report

        settings = {"k": arguments.k, "over": arguments.over, "prob": arguments.prob}
        _write(f"\nWrote {write_report(trials, arguments.report, **settings)}\n")
    return OK


def _write(text: str) -> None:
    """Write to standard output without trailing blanks; spell out what its encoding lacks."""
    text = re.sub(r" +$", "", text, flags=re.MULTILINE)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if not encoding.lower().startswith("utf"):
        text = text.replace("\N{BOX DRAWINGS LIGHT HORIZONTAL}", "-")
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()

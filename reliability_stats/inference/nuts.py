"""Hamiltonian Monte Carlo (NUTS) by nutpie, PyMC or NumPyro, for models that give a graph."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import FloatArray
from .._validation import check_choice, check_k, check_positive_int, check_prob
from ..exceptions import ArgumentError, ConvergenceWarning, MissingExtraError, ModelError
from ..models import Crossed
from ..models._crossed_layout import Layout
from ..trials import Trials
from .chain_checks import chain_checks
from .chains import Chains
from .checks import Check
from .crossed_density import CrossedDensity, pyfunc_model
from .crossed_kernel import compiled
from .design import warn_of_design

SAMPLERS = ("auto", "nutpie", "pymc", "numpyro")
LEAST_DRAWS = 20
"""Fewest draws of a chain that its diagnostics can be computed from."""


@dataclass(frozen=True)
class Settings:
    """What a sampler is asked for."""

    draws: int
    tune: int
    chains: int
    cores: int
    seed: int
    progress: bool
    target_accept: float


def infer(
    trials: Trials,
    model: Crossed,
    *,
    seed: int,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    sampler: str = "auto",
    target_accept: float = 0.9,
    progress: bool | None = None,
) -> tuple[Chains, dict[str, Any]]:
    """Sample the posterior of a model.

    Parameters
    ----------
    trials : Trials
        The data.
    model : Crossed
        Gives a layout, and that the graph.
    seed : int
        Decides everything.
    draws, tune, chains : int >= 1
        Kept draws of each chain, draws before these to adapt to, and number of chains.
    cores : int >= 1, optional
        Chains that run at once; all processors by default.
    sampler : {"auto", "nutpie", "pymc", "numpyro"}
        What samples; "auto" is nutpie if it is installed and PyMC otherwise.
    target_accept : float in (0, 1), default 0.9
        Acceptance rate that the step size is adapted to; higher is slower and diverges less.
    progress : bool, optional
        Whether a progress bar is shown; by default where somebody can watch it.

    Returns
    -------
    engine : Chains
    info : dict

    Raises
    ------
    ArgumentError
        If an option is not allowed.
    MissingExtraError
        If the sampler asked for is not installed.
    ModelError
        If the sampler fails.

    Warns
    -----
    ConvergenceWarning
        If the chains disagree, hold too little information, or have diverged.
    IdentifiabilityWarning
        If the design leaves an effect undetermined.
    """
    settings = Settings(
        draws=check_k(draws, "draws", minimum=LEAST_DRAWS),
        tune=check_positive_int(tune, "tune"),
        chains=check_positive_int(chains, "chains"),
        cores=os.cpu_count() or 1 if cores is None else check_positive_int(cores, "cores"),
        seed=int(np.random.default_rng(seed).integers(2**31)),
        progress=_watched() if progress is None else _checked_bool(progress),
        target_accept=check_prob(target_accept, "target_accept"),
    )
    name = _chosen(sampler)
    layout = model.layout(trials.counts)
    warn_of_design(layout)
    start = time.perf_counter()
    with _clear_errors(name):
        values, statistics, how = _SAMPLERS[name](layout, settings)
    seconds = time.perf_counter() - start
    checks = chain_checks(values, statistics)
    warn_unless_passed(checks)
    engine = Chains.of(layout, values, statistics, checks, name, seed)
    return engine, _record(name, settings, layout, checks, how, seconds)


def warn_unless_passed(checks: Sequence[Check], stacklevel: int = 4) -> None:
    """Warn of checks that failed, with the figure and the remedy."""
    failed = [check for check in checks if not check.passed]
    if failed:
        faults = "; ".join(
            f"{check.name} is {check.value:.4g}"
            + (f" for {check.about}" if check.about else "")
            + f", not {'at least' if check.at_least else 'at most'} {check.limit:.4g}"
            for check in failed
        )
        remedies = " ".join(dict.fromkeys(check.remedy for check in failed))
        warnings.warn(
            f"The chains have not converged: {faults}. {remedies}",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )


def _record(
    name: str,
    settings: Settings,
    layout: Layout,
    checks: Sequence[Check],
    how: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Say how the draws were made."""
    packages = ["pymc", "pytensor", "arviz"] + ([name] if name != "pymc" else [])
    return {
        "method": "NUTS on the collapsed beta-binomial likelihood",
        "sampler": name,
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "cores": settings.cores,
        "sampler_seed": settings.seed,
        "effects": layout.effects,
        "baseline": layout.levels[0] if layout.levels else None,
        "centred": dict(layout.centred),
        "target_accept": settings.target_accept,
        "checks": {check.name: check.value for check in checks},
        "seconds": seconds,
        "versions": {item: _version(item) for item in packages},
        **how,
    }


def _version(package: str) -> str:
    """Version of an installed package."""
    from importlib.metadata import version

    return version(package)


def _checked_bool(value: object) -> bool:
    """Accept True and False."""
    if not isinstance(value, bool):
        raise ArgumentError(f"progress must be True, False or None, not {value!r}.")
    return value


def _watched() -> bool:
    """Tell whether output goes to a terminal or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def _chosen(sampler: str) -> str:
    """Give the sampler to use, which must be installed."""
    name = check_choice(sampler, SAMPLERS, "sampler")
    if name == "auto":
        return "nutpie" if importlib.util.find_spec("nutpie") else "pymc"
    if importlib.util.find_spec(name) is None:
        hint = (
            "pip install 'reliability-stats[fast]'" if name == "nutpie" else "pip install numpyro"
        )
        raise MissingExtraError(
            f"sampler={name!r} needs the package {name}: {hint}; or use sampler='auto'."
        )
    return name


@contextmanager
def _clear_errors(name: str) -> Iterator[None]:
    """Turn what a sampler throws into an error that says what to do; hush third-party warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{name} could not sample this model: {first}. Try another sampler, or tighter priors; "
            "systems can always be fitted one by one with BetaBinomial()."
        ) from error


Result = tuple[dict[str, FloatArray], dict[str, FloatArray], dict[str, Any]]


def _arrays(trace: Any) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Take draws and statistics out of InferenceData or a DataTree."""
    posterior = trace["posterior"]
    names = [str(name) for name in posterior.data_vars if not str(name).endswith(("_raw", "__"))]
    values = {name: np.asarray(posterior[name].values) for name in names}
    given = trace["sample_stats"]
    statistics = {
        name: np.asarray(given[name].values)
        for name in ("diverging", "energy")
        if name in given.data_vars
    }
    return values, statistics


def _nutpie(layout: Layout, settings: Settings) -> Result:
    """Sample by nutpie, with a density that needs no compiling for each design."""
    nutpie: Any = importlib.import_module("nutpie")

    density = CrossedDensity(layout)
    trace = nutpie.sample(
        pyfunc_model(density, _from_pyfunc()),
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=min(settings.cores, settings.chains),
        seed=settings.seed,
        target_accept=settings.target_accept,
        save_warmup=False,
        progress_bar=settings.progress,
    )
    values, statistics = _arrays(trace)
    backend = "numpy" if compiled() is None else "numba"
    return density.variables(values["x"]), statistics, {"backend": backend}


def _from_pyfunc() -> Callable[..., Any]:
    """Give nutpie's way in for densities that are Python functions."""
    found: Callable[..., Any] = importlib.import_module("nutpie.compiled_pyfunc").from_pyfunc
    return found


def _pymc(layout: Layout, settings: Settings, sampler: str = "pymc") -> Result:
    """Sample by PyMC, through Numba where PyTensor has no C++ compiler."""
    import pymc as pm
    import pytensor

    options: dict[str, Any] = {}
    old = int(pm.__version__.split(".")[0]) < 6
    if sampler == "pymc" and old and not pytensor.config.cxx:
        options["compile_kwargs"] = {"mode": "NUMBA"}
    with layout.graph():
        trace = pm.sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=min(settings.cores, settings.chains),
            random_seed=settings.seed,
            target_accept=settings.target_accept,
            nuts_sampler=sampler,
            progressbar=settings.progress,
            compute_convergence_checks=False,
            **options,
        )
    backend = "numba" if options or not old else "c"
    return *_arrays(trace), {"backend": "jax" if sampler == "numpyro" else backend}


def _numpyro(layout: Layout, settings: Settings) -> Result:
    """Sample by NumPyro, through PyMC."""
    return _pymc(layout, settings, "numpyro")


_SAMPLERS: dict[str, Callable[[Layout, Settings], Result]] = {
    "nutpie": _nutpie,
    "pymc": _pymc,
    "numpyro": _numpyro,
}

"""The entry point of the code location: the definitions of every model and of the environment in `ml_assets/defs`."""

import gc
import logging
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import dagster as dg

# Dagster's own objects live as long as the process, so the garbage collector need not scan them repeatedly while more
# is loaded; a single scan takes as long as importing a hundred modules of this package.
gc.freeze()

# ruff: noqa: E402
import ml_assets.defs
from ml_assets.defs.environment import configure_process, environment_variables, is_validation
from ml_assets.pipeline.code_location.broken_model import broken_model
from ml_assets.pipeline.code_location.folder_definitions import Folder
from ml_assets.resources.dagster_internals.serialized_errors import MessageOnlyError
from ml_assets.resources.observability.redaction import redact_text

DEFS = Path(__file__).parent / "defs"

log = logging.getLogger("ml_assets.definitions")
load_folder = Folder(DEFS, ml_assets.defs.__name__, DEFS.parents[1], required=("environment",)).load


class BrokenDefinitions(MessageOnlyError):
    """Files of the defs folder are not valid. The message names file, line, field and reason of each problem."""


@dg.definitions
def defs() -> dg.Definitions:
    """Build the definitions of all models and of the environment.

    Each model is loaded by itself. A broken one is logged and replaced by an asset that says what is wrong, so that the
    others run; under validation it is an error. `load_from_defs_folder` would also import the component registry of
    every installed library (dagster-aws alone costs a second), which only the tools that list components need.

    A process builds them once for an environment, because Dagster asks for them six times in a run.

    Raises:
        BrokenDefinitions: when the definitions are validated and a model is broken.
        ValueError: when an environment variable is not valid.
    """
    # Models may be loaded before the environment, and their errors must be redacted as well.
    configure_process()
    return _build(load_folder, environment_variables())


@lru_cache(maxsize=1)
def _build(
    load: Callable[[], tuple[list[dg.Definitions], dict[str, str]]], _: frozenset[tuple[str, str]]
) -> dg.Definitions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.PreviewWarning)
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        loaded, problems = load()
        problems = {name: redact_text(problem) for name, problem in problems.items()}
        if problems and is_validation():
            raise BrokenDefinitions("\n".join(["these files are not valid:", *problems.values()]))
        for name, problem in problems.items():
            log.error("%s is not loaded: %s", name, problem)
        return dg.Definitions.merge(*loaded, *(broken_model(name, problem) for name, problem in problems.items()))

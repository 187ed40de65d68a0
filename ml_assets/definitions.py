"""The entry point of the code location: the definitions of every model and of the environment in `ml_assets/defs`."""

import gc
import warnings
from pathlib import Path

import dagster as dg

import ml_assets.defs

DEFS = Path(__file__).parent / "defs"


@dg.definitions
def defs() -> dg.Definitions:
    """Build the definitions of all models and of the environment.

    The tree of the defs folder is built directly: `load_from_defs_folder` also imports the component registry of every
    installed library (dagster-aws alone costs a second), which only the tools that list components need, and parses
    pyproject.toml twice.
    """
    # Dagster's own objects live as long as the process, so the garbage collector need not scan them again and again
    # while more is loaded.
    gc.freeze()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.PreviewWarning)
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        return dg.ComponentTree.from_module(defs_module=ml_assets.defs, project_root=DEFS.parents[1]).build_defs(DEFS)

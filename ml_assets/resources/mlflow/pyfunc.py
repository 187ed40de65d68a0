"""The pyfunc model that MLflow loads. This file and the scorer are copied into each model, which therefore needs
nothing else of this project.

MLflow executes this file by its path, next to the folder `code` that contains the scorer; no module imports it.
"""

import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import mlflow.models  # noqa: TID253  nothing but MLflow executes this file
import pandas as pd
from mlflow.pyfunc.model import PythonModel  # noqa: TID253


class ScoringModel(PythonModel):
    """A model that returns predictions for rows of features."""

    def load_context(self, context):
        """Load the model files that lie beside this one."""
        # By path and not by name, because models of different versions of the scorer may be loaded in one process.
        loader = SourceFileLoader(f"{__name__}_scorer", str(Path(__file__).with_name("code") / "scorer.py"))
        sys.modules[loader.name] = module = ModuleType(loader.name)
        loader.exec_module(module)
        self.scorer = module.Scorer.from_files(context.artifacts["model.ubj"], context.artifacts["preprocessing.json"])

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """Return one row for each row of `model_input`, with the columns of the table predictions: `score` and
        `decision`; `prediction` and its quantiles; or `predicted_class` and the probability of each class.
        """
        return pd.DataFrame(self.scorer.predict(model_input), index=model_input.index)


mlflow.models.set_model(ScoringModel())

"""Where XGBoost trains: on a GPU when one is wanted and usable, else on the CPU."""

import json
import warnings
from collections.abc import Callable

import numpy as np


def choose_device(gpus_wanted: int, log: Callable[[str], None]) -> str:
    """`cuda` when a GPU is wanted and XGBoost can train on one, else `cpu`; a wanted GPU that cannot be used is logged.

    One process of XGBoost uses one GPU, however many are wanted.
    """
    if gpus_wanted == 0:
        return "cpu"
    import xgboost as xgb

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tiny = xgb.DMatrix(np.array([[0.0], [1.0]], dtype=np.float32), label=[0, 1])
            booster = xgb.train({"device": "cuda", "tree_method": "hist", "verbosity": 0}, tiny, 1)
        # Where there is no GPU, XGBoost trains on the CPU with no more than a warning; its configuration says so.
        used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
        reason = f"XGBoost chose {used}"
    except xgb.core.XGBoostError as error:
        used, reason = "", str(error).splitlines()[0]
    if used.startswith("cuda"):
        return "cuda"
    log(f"warning: compute.gpu is {gpus_wanted}, but no CUDA device is usable here ({reason}); training on the CPU")
    return "cpu"

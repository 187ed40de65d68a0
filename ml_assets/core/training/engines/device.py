"""The device of XGBoost: a GPU when one is specified and usable, otherwise the CPU."""

import json
import warnings
from collections.abc import Callable

import numpy as np


def choose_device(gpus: int, log: Callable[[str], None]) -> str:
    """Return `cuda` when a GPU is specified and XGBoost can train on one, otherwise `cpu`; log when a specified GPU is
    not usable.

    One process of XGBoost uses one GPU, however many are specified.
    """
    if gpus == 0:
        return "cpu"
    import xgboost as xgb

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tiny = xgb.DMatrix(np.array([[0.0], [1.0]], dtype=np.float32), label=[0, 1])
            booster = xgb.train({"device": "cuda", "tree_method": "hist", "verbosity": 0}, tiny, 1)
        # Without a GPU, XGBoost only warns and trains on the CPU; its configuration has the device that it used.
        used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
        reason = f"XGBoost chose {used}"
    except xgb.core.XGBoostError as error:
        used, reason = "", str(error).splitlines()[0]
    if used.startswith("cuda"):
        return "cuda"
    log(f"warning: compute.gpu is {gpus}, but no CUDA device is usable here ({reason}); training on the CPU")
    return "cpu"

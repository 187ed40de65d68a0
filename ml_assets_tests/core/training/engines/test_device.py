"""A GPU is used when it is specified and usable, and logged when it is not usable."""

import json

import pytest
import xgboost as xgb

from ml_assets.core.training.engines.device import choose_device


def test_a_missing_gpu_is_logged_and_the_cpu_is_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    lines = []
    if choose_device(1, lines.append) == "cuda":
        pytest.skip("this process already uses a CUDA device")
    assert lines[0].startswith("warning: compute.gpu is 1, but no CUDA device is usable here")


def test_without_a_specified_gpu_xgboost_is_not_asked():
    lines = []
    assert choose_device(0, lines.append) == "cpu"
    assert lines == []


def test_the_cpu_is_used_when_xgboost_fails_on_cuda(monkeypatch):
    def fail(*_, **__):
        raise xgb.core.XGBoostError("driver too old\nstack trace")

    monkeypatch.setattr(xgb, "train", fail)
    lines = []
    assert choose_device(2, lines.append) == "cpu"
    assert lines == [
        "warning: compute.gpu is 2, but no CUDA device is usable here (driver too old); training on the CPU"
    ]


def test_a_usable_gpu_is_used(monkeypatch):
    class OnCuda:
        def save_config(self):
            return json.dumps({"learner": {"generic_param": {"device": "cuda:0"}}})

    monkeypatch.setattr(xgb, "train", lambda *_, **__: OnCuda())
    assert choose_device(1, pytest.fail) == "cuda"

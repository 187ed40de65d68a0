"""Figures of NannyML, the oracle of estimated performance; it needs an environment of its own.

    python3 -m venv .venv-nannyml && .venv-nannyml/bin/pip install nannyml statsmodels
    cd ml_assets_tests/core/metrics && ../../../.venv-nannyml/bin/python nannyml_oracle.py > nannyml_figures.json

It imports nothing of this project, so that NannyML's environment can run it.
"""

import json
import sys

import numpy as np

METRICS = ["roc_auc", "average_precision", "precision", "recall", "f1"]
CASES = {"rare positives": (-3.0, 0.5, 0.5), "half of each": (0.0, 0.2, 0.5), "a low threshold": (-3.0, 0.0, 0.1)}
CLASSES, CLASS_METRICS = (
    "three classes",
    {"roc_auc": "roc_auc_ovr", "f1": "f1_macro", "recall": "balanced_accuracy", "accuracy": "accuracy"},
)
REFERENCE, ROWS = 6000, 2000


def case(base: float, shift: float) -> dict[str, np.ndarray]:
    """Return labels and scores of reference rows, and scores of rows that are shifted by `shift`: the scores rank well
    and are not calibrated.
    """
    random = np.random.default_rng(7)
    signal = 4 * random.random(REFERENCE) - 2
    probability = 1 / (1 + np.exp(-(1.5 * signal + base)))
    labels = (random.random(REFERENCE) < probability).astype(int)
    later = 4 * random.random(ROWS) - 2 + shift
    return {"labels": labels, "reference": _score(signal, base), "scores": _score(later, base)}


def _score(signal: np.ndarray, base: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(3 * signal + base / 2)))


def estimate(base: float, shift: float, threshold: float) -> dict[str, float]:
    """Return NannyML's estimates of the rows of a case."""
    import nannyml  # type: ignore[import-not-found]
    import pandas as pd

    rows = case(base, shift)
    reference = pd.DataFrame({"score": rows["reference"], "label": rows["labels"]})
    later = pd.DataFrame({"score": rows["scores"]})
    for frame in (reference, later):
        frame["decision"] = (frame["score"] >= threshold).astype(int)
    estimator = nannyml.CBPE(
        y_pred_proba="score",
        y_pred="decision",
        y_true="label",
        metrics=METRICS,
        problem_type="classification_binary",
        chunk_number=1,
    )
    estimator.fit(reference)
    result = estimator.estimate(later).filter(period="analysis").to_df()
    return {name: float(result[(name, "value")].iloc[0]) for name in METRICS}


def classes_case() -> dict[str, np.ndarray]:
    """Return true classes and predicted probabilities of reference rows, and those of rows that are shifted."""
    random = np.random.default_rng(11)
    weights = np.array([[1.2, -0.4, 0.1], [-0.5, 0.9, 0.3], [-0.2, -0.3, 0.8]])

    def draw(rows: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
        logits = (random.normal(size=(rows, 3)) + shift) @ weights
        return _softmax(logits), _softmax(1.7 * logits + np.array([0.4, 0.0, -0.3]))

    true, reference = draw(REFERENCE, 0.0)
    labels = (random.random((REFERENCE, 1)) >= np.cumsum(true, axis=1)[:, :-1]).sum(axis=1)
    return {"labels": labels, "reference": reference, "scores": draw(ROWS, 0.3)[1]}


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def estimate_classes() -> dict[str, float]:
    """Return NannyML's estimates of the rows of three classes."""
    import nannyml  # type: ignore[import-not-found]
    import pandas as pd

    rows = classes_case()
    columns = {f"class {number}": f"p{number}" for number in range(3)}

    def frame(scores: np.ndarray) -> pd.DataFrame:
        predicted = pd.DataFrame(scores, columns=[*columns.values()])
        return predicted.assign(decision=[f"class {number}" for number in scores.argmax(axis=1)])

    estimator = nannyml.CBPE(
        y_pred_proba=columns,
        y_pred="decision",
        y_true="label",
        metrics=[*CLASS_METRICS],
        problem_type="classification_multiclass",
        chunk_number=1,
    )
    estimator.fit(frame(rows["reference"]).assign(label=[f"class {number}" for number in rows["labels"]]))
    result = estimator.estimate(frame(rows["scores"])).filter(period="analysis").to_df()
    return {ours: float(result[(name, "value")].iloc[0]) for name, ours in CLASS_METRICS.items()}


if __name__ == "__main__":
    figures = {name: estimate(*settings) for name, settings in CASES.items()}
    json.dump({**figures, CLASSES: estimate_classes()}, sys.stdout, indent=2)
    sys.stdout.write("\n")

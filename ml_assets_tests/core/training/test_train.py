"""Training is repeatable to the byte, reads only its days, and explains why it cannot run."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from ml_assets.core.metrics.classification import point_metrics
from ml_assets.core.model.scorer import Scorer
from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.training import batches
from ml_assets.core.training.row_counts import TrainingDataError
from ml_assets.core.training.time_split import split_days
from ml_assets.core.training.train import TrainedModel, train
from ml_assets_tests.conftest import SMALL

AS_OF = date(2025, 1, 20)
FEATURES = ["amount", "count_by_card_1d", "amount_mean_by_card_1d", "shop"]


def _spec(preprocessing=None, **changes):
    attributes = json.loads(json.dumps(SMALL))
    attributes["columns"]["shop"] = {"type": "string"}
    attributes["features"].append({"kind": "categorical", "columns": ["shop"]})
    attributes["training"] |= {
        "rounds": 12,
        "early_stopping_rounds": 4,
        "preprocessing": preprocessing or {},
        **changes,
    }
    attributes["compute"] = {"cpu": 1}
    return ModelSpec.model_validate(attributes)


SPEC = _spec()
SPLIT = split_days(SPEC, AS_OF)


def _day(day, rows=120):
    random = np.random.default_rng(day.toordinal())
    frame = pd.DataFrame(random.random((rows, 3)), columns=FEATURES[:3])
    frame["shop"] = random.choice(["x", "y", "z"], rows)
    frame["label"] = ((frame["amount"] > 0.9) | ((frame["shop"] == "y") & (random.random(rows) < 0.2))).astype(int)
    return frame.assign(id=np.arange(rows), card="c")


def reader(changed=None):
    """read_day and the count of its calls by day; `changed` maps a day to what becomes of its frame."""
    calls = Counter()

    def read_day(day):
        calls[day] += 1
        return (changed or {}).get(day, lambda frame: frame)(_day(day))

    return read_day, calls


def _train(spec=SPEC, changed=None):
    return train(spec, SPLIT, reader(changed)[0])


def _none(frame):
    return frame.iloc[:0]


def _rows(days, column="label"):
    return pd.concat([_day(day) for day in days])[column]


def test_a_model_has_the_metrics_of_its_training():
    model = _train()
    assert (model.rows, model.positives) == (480, _rows(SPLIT.window).sum())
    assert model.validation_rows == 120
    assert set(model.metrics) == {"average_precision", "roc_auc", "log_loss", "precision", "recall", "f1"}
    assert set(model.learning_curve) == {"logloss", "aucpr"}
    assert model.rounds <= len(model.learning_curve["aucpr"]) <= 12
    assert model.threshold_note.startswith("max_f1: precision")
    assert model.device == "cpu"


def test_the_files_make_a_scorer_with_the_features_and_threshold_of_the_model():
    model = _train()
    scorer = Scorer.from_bytes(model.model, model.preprocessing)
    assert scorer.features == SPEC.feature_names() == FEATURES
    assert scorer.threshold == model.threshold
    assert (
        point_metrics(
            _rows(SPLIT.holdout), scorer.score(pd.concat([_day(day) for day in SPLIT.holdout])), model.threshold
        )["roc_auc"]
        > 0.7
    )


def test_without_refit_metrics_and_threshold_are_those_of_the_model_on_the_validation_part():
    model = _train(_spec(refit=False))
    scores = Scorer.from_bytes(model.model, model.preprocessing).score(
        pd.concat([_day(day) for day in SPLIT.validation])
    )
    result = point_metrics(_rows(SPLIT.validation), scores, model.threshold)
    assert model.metrics == {name: result[name] for name in model.metrics}
    assert model.rows == 360


def test_a_refit_uses_the_validation_part_and_keeps_rounds_and_threshold():
    stopped, refitted = _train(_spec(refit=False)), _train()
    assert (stopped.rounds, stopped.threshold, stopped.metrics) == (
        refitted.rounds,
        refitted.threshold,
        refitted.metrics,
    )
    assert stopped.model != refitted.model


def test_boosting_is_cut_back_to_the_best_round():
    model = _train(_spec(refit=False, rounds=40, early_stopping_rounds=3))
    curve = model.learning_curve["logloss"]
    assert (
        xgb.Booster(model_file=bytearray(model.model)).num_boosted_rounds() == model.rounds == int(np.argmin(curve)) + 1
    )
    assert len(curve) == model.rounds + 3


def test_only_a_refit_fits_preprocessing_to_the_validation_part():
    preprocessing = {"scale": {"amount": "minmax"}}
    only_then = {
        day: lambda frame: frame.assign(shop="late", amount=frame["amount"] * 1000) for day in SPLIT.validation
    }
    features = {}
    for refit in [False, True]:
        model = _train(_spec(preprocessing, refit=refit), only_then)
        features[refit] = {feature["name"]: feature for feature in json.loads(model.preprocessing)["features"]}
    assert features[False]["shop"]["categories"] == ["x", "y", "z"]
    assert features[False]["amount"]["divisor"] < 1
    assert features[True]["shop"]["categories"] == ["late", "x", "y", "z"]
    assert features[True]["amount"]["divisor"] > 100


def test_only_days_of_the_window_are_read_and_small_windows_once():
    read_day, calls = reader()
    train(SPEC, SPLIT, read_day)
    assert calls == dict.fromkeys(SPLIT.window, 1)


def test_no_more_than_a_batch_of_rows_is_kept_and_batches_are_of_about_that_size(monkeypatch):
    sizes = []
    plain = batches.LabelledDays.batches

    def watched(self, *arguments):
        for batch in plain(self, *arguments):
            assert sum(map(len, self._cache.values())) <= 130
            sizes.append(len(batch.matrix))
            yield batch

    monkeypatch.setattr(batches.LabelledDays, "batches", watched)
    read_day, calls = reader()
    train(_spec(batch_rows=130), SPLIT, read_day)
    assert set(sizes) == {240, 120}
    assert calls[SPLIT.fit[0]] == 1
    assert calls[SPLIT.fit[1]] > 1


def test_days_without_rows_are_normal():
    changed = {SPLIT.fit[0]: _none, SPLIT.fit[2]: _none}
    assert _train(changed=changed).rows == 240


def test_rows_without_a_label_are_left_out():
    def with_unlabelled(frame):
        more = frame.assign(label=pd.array([None] * len(frame), dtype="Int64"), amount=1e6, shop="never")
        return pd.concat([frame.astype({"label": "Int64"}), more], ignore_index=True)

    model = _train(changed={day: with_unlabelled for day in SPLIT.window})
    assert model.digest == _train().digest


def test_boolean_labels_are_as_good_as_integers():
    changed = {day: lambda frame: frame.astype({"label": bool}) for day in SPLIT.window}
    assert _train(changed=changed).digest == _train().digest


def test_every_encoding_and_scaling_trains():
    for encoding in ["native", "onehot", "ordinal", "frequency"]:
        model = _train(_spec({"encode": {"shop": encoding}, "scale": {"amount": "standard"}}))
        assert Scorer.from_bytes(model.model, model.preprocessing).importances()["shop"] > 0


def test_a_category_that_is_always_missing_trains():
    changed = {day: lambda frame: frame.assign(shop=None) for day in SPLIT.window}
    for encoding in ["native", "onehot", "frequency"]:
        model = _train(_spec({"encode": {"shop": encoding}}), changed)
        assert Scorer.from_bytes(model.model, model.preprocessing).importances()["shop"] == 0


IN_ANOTHER_PROCESS = (
    "import ml_assets_tests.core.training.test_train as t; print(t._train(t._spec(t.BOTH, **t.SAMPLED)).digest)"
)
BOTH = {"scale": {"amount": "standard"}, "encode": {"shop": "frequency"}}
SAMPLED = {"parameters": {"subsample": 0.7, "colsample_bytree": 0.7}}


@pytest.mark.slow
def test_two_processes_give_the_same_bytes():
    done = subprocess.run([sys.executable, "-c", IN_ANOTHER_PROCESS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == _train(_spec(BOTH, **SAMPLED)).digest


def test_another_seed_gives_another_model():
    assert _train(_spec(BOTH, **SAMPLED)).digest != _train(_spec(BOTH, **SAMPLED, seed=1)).digest


def test_the_model_file_does_not_depend_on_the_run():
    assert b"best_iteration" not in _train().model


def test_the_digest_distinguishes_the_files():
    def digest(model, preprocessing):
        return TrainedModel(model, preprocessing, 1, 0.5, "", {}, {}, 1, 1, 1, "cpu").digest

    assert digest(b"ab", b"c") != digest(b"a", b"bc")
    assert len(digest(b"", b"")) == 64


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (
            "window",
            _none,
            r"small: the training window \(2025-01-11 to 2025-01-14, 4 days\) has no labelled rows; check that",
        ),
        (
            "fit",
            _none,
            r"the fit part .*\(2025-01-11 to 2025-01-13, 3 days\) has 0 labelled rows, 0 of them positive.*"
            r"lengthen training.window",
        ),
        (
            "fit",
            lambda f: f.assign(label=0),
            r"the fit part .* has 360 labelled rows, 0 of them positive, but both classes are needed",
        ),
        ("fit", lambda f: f.assign(label=1), r"the fit part .* has 360 labelled rows, 360 of them positive"),
        ("validation", _none, r"the validation part .*\(2025-01-14 to 2025-01-14, 1 day\) has 0 labelled rows"),
        (
            "validation",
            lambda f: f.assign(label=0),
            r"the validation part .* 0 of them positive.*lengthen training.validation",
        ),
        (
            "validation",
            lambda f: f.assign(label=1),
            r"the validation part .* has 120 labelled rows, 120 of them positive",
        ),
    ],
)
def test_a_window_that_lacks_rows_or_a_class_is_refused_with_days_and_counts(part, change, message):
    with pytest.raises(TrainingDataError, match=message):
        _train(changed={day: change for day in getattr(SPLIT, part)})


def test_a_day_that_lacks_a_column_is_named():
    changed = {SPLIT.fit[1]: lambda frame: frame.drop(columns=["amount", "label"])}
    with pytest.raises(ValueError, match=r"small: the features of 2025-01-12 have no column label, amount"):
        _train(changed=changed)


def test_a_day_with_values_of_another_kind_is_named():
    with pytest.raises(ValueError, match=r"2025-01-12: feature shop: expected categories as text"):
        _train(changed={SPLIT.fit[1]: lambda frame: frame.assign(shop=3.5)})
    with pytest.raises(ValueError, match=r"2025-01-12: feature amount: expected numbers"):
        _train(changed={SPLIT.fit[1]: lambda frame: frame.assign(amount="much")})


def test_an_error_of_reading_is_raised_unchanged():
    times = Counter()

    def read_day(day):
        times[day] += 1
        if times[day] == 3:
            raise ConnectionError("gone")
        return _day(day)

    with pytest.raises(ConnectionError, match="gone"):
        train(_spec(batch_rows=1), SPLIT, read_day)


def test_progress_is_logged():
    lines = []
    train(SPEC, SPLIT, reader()[0], lines.append)
    assert [line.split(":")[0] for line in lines] == ["small"] * 3
    assert "360 labelled rows" in lines[0]

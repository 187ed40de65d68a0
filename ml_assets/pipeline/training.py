"""Stage trained_model: the model of day D, trained on the feature days whose labels are known on D."""

from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from ml_assets.core.fingerprint import code_version
from ml_assets.core.spec import ModelSpec
from ml_assets.core.spec.feed import labels_feed, rows_feed
from ml_assets.core.splits import HistoryTooShort, Split, split_days
from ml_assets.pipeline.blocking import Blocking
from ml_assets.pipeline.features import FEATURES, FeatureEngineering
from ml_assets.pipeline.ingestion import Ingestion
from ml_assets.pipeline.inputs import fingerprints_of
from ml_assets.pipeline.labels import LabelsByKey, labels_part
from ml_assets.pipeline.stage import CannotMake, Made
from ml_assets.pipeline.validation import Validation
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing
from ml_assets.resources.mlflow_model import MODEL as MODEL_FILE
from ml_assets.resources.mlflow_model import PASSPORT as PASSPORT_FILE
from ml_assets.resources.mlflow_model import PREPROCESSING as PREPROCESSING_FILE
from ml_assets.resources.model_files import artifacts_key

if TYPE_CHECKING:
    import pandas as pd

    from ml_assets.core.training import TrainedModel

MODEL = "trained_model"


class ModelTraining:
    """XGBoost model of a day, trained on the feature days whose labels are known on that day; files and passport lie in the lake under its digest.

    Inputs: the feature days of the training window.
    """

    name = MODEL

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing, log: Callable[[str], None]):
        from ml_assets.core.schemas import TRAINED_MODEL, features_schema

        self.spec, self.lake, self._landing, self._log = spec, lake, landing, log
        joined = ["ml_assets.core.labels"] if spec.labels else []
        self.code = f"{code_version('ml_assets.core.training', 'ml_assets.core.schemas', *joined)} xgboost {version('xgboost')}"
        self.spec_part = {
            "training": spec.training.model_dump(mode="json"),
            "features": [spec.feature_names(), spec.categorical_features(), spec.target],
            "days": [spec.label_delay.days, spec.evaluation.holdout.days],
            "compute": [spec.compute.cpu, spec.compute.gpu],
        }
        self._features = lake.table(spec.name, FEATURES, features_schema(spec))
        self._labels = LabelsByKey(spec, lake, landing, self._features) if spec.labels else None
        if self._labels:
            self.spec_part["labels"] = labels_part(spec)
        self._feeds = [feed for feed in (rows_feed(spec), labels_feed(spec)) if feed]
        of_feeds = [stage for feed in self._feeds for stage in (Ingestion(feed, spec.late_data, lake, landing), Validation(feed, lake))]
        self._earlier = (*of_feeds, FeatureEngineering(spec, lake, landing))
        self.blocking = Blocking(spec, lake, landing)
        self.tables = {MODEL: lake.table(spec.name, MODEL, TRAINED_MODEL)}

    def refresh(self) -> None:
        """See what has been made since."""
        self.blocking.refresh()
        self._features.refresh()
        if self._labels:
            self._labels.refresh()
        for stage in self._earlier:
            for table in stage.tables.values():
                table.refresh()

    def inputs(self, day: date) -> list:
        """Day and fingerprint of each feature day of the training window, and the labels that its rows have on `day`.

        None of them where the data begin too late for a model.

        Raises:
            KeepDay: while a blocking check of the day fails.
        """
        self.blocking.hold(day)
        try:
            window = split_days(self.spec, day).window
        except HistoryTooShort as error:
            return [str(error)]
        reader = f"the {MODEL} of {day}"
        features = fingerprints_of(rows_feed(self.spec), self._landing, self._features, window, reader, FEATURES)
        return [*features, *self._labels.inputs(window, day, reader)] if self._labels else features

    def make(self, day: date, alone: bool) -> Made:
        """Train the model of one day and put its files into the lake, under its digest."""
        import pyarrow as pa

        from ml_assets.core.schemas import TRAINED_MODEL
        from ml_assets.core.training import TrainingDataError, train

        try:
            split = split_days(self.spec, day)
            model = train(self.spec, split, lambda used: self._labelled(used, day), self._log)
        except (TrainingDataError, HistoryTooShort) as error:
            if alone:
                raise CannotMake(f"no model of {day}: {error}") from error
            none = {"model_digest": None, "problem": str(error)}
            return Made({MODEL: pa.Table.from_pylist([none], schema=TRAINED_MODEL)}, str(error))
        folder = artifacts_key(self.spec.name, model.digest)
        for name, content in [
            (MODEL_FILE, model.model),
            (PREPROCESSING_FILE, model.preprocessing),
            (PASSPORT_FILE, self._passport(day, split, model)),
        ]:
            self.lake.files.write(f"{folder}/{name}", content)
        row = {
            "model_digest": model.digest,
            "artifacts": folder,
            "rounds": model.rounds,
            "threshold": model.threshold,
            "rows": model.rows,
            "positives": model.positives,
            "fit_first": split.fit[0],
            "validation_first": split.validation[0],
            "validation_last": split.validation[-1],
        }
        return Made({MODEL: pa.Table.from_pylist([row], schema=TRAINED_MODEL)})

    def seen(self, day: date) -> dict[str, dict[date, int]]:
        """What the model of a day sees now: the fingerprint of each feature day of its training window, and a digest of the labels of each."""
        window = split_days(self.spec, day).window
        found = {FEATURES: {used: made for used in window if (made := self._features.fingerprint(used)) is not None}}
        if self._labels:
            found["labels"] = {date.fromisoformat(of): int(digest, 16) for of, digest in self._labels.inputs(window, day, f"the {MODEL} of {day}")}
        return found

    def _labelled(self, used: date, day: date) -> "pd.DataFrame":
        """Features and target of a day of the training window, with the labels that count on `day`."""
        from ml_assets.core.schemas import to_pandas

        target, names = self.spec.target, self.spec.feature_names()
        if self._labels:
            return to_pandas(self._features.read([used], names)).assign(**{target: self._labels.column(used, day)})
        return to_pandas(self._features.read([used], list(dict.fromkeys([target, *names]))))

    def _passport(self, day: date, split: Split, model: "TrainedModel") -> bytes:
        from ml_assets.core.features import days_read
        from ml_assets.core.passport import build_passport

        offsets = days_read(self.spec)
        seen = {used - timedelta(days=offset) for used in split.window for offset in offsets}
        seen_days = sorted(day_seen for day_seen in seen if day_seen >= self.spec.source.start)
        objects, fingerprints = [], {}
        for feed in self._feeds:
            # Labels of the oldest row may have come on any day since.
            days = seen_days if feed.event_time else [seen_days[0] + timedelta(days=n) for n in range((day - seen_days[0]).days + 1)]
            tables = {name: table for stage in self._earlier for name, table in stage.tables.items()}
            objects += tables[feed.objects].read(days, ["day", "key", "digest", "size"]).to_pylist()
            for name in (feed.raw, feed.validated):
                fingerprints[name] = {used: made for used in days if (made := tables[name].fingerprint(used)) is not None}
        fingerprints |= self.seen(day)
        code = {stage.name: stage.code for stage in (*self._earlier, self)}
        return build_passport(self.spec, day, split, model, objects, fingerprints, code)

    def row(self, day: date) -> dict:
        """The committed row of one day: its model, or the problem; that no model was made, and why, where there is none."""
        rows = self.tables[MODEL].read([day]).to_pylist()
        return rows[0] if rows else {"model_digest": None, "problem": self.blocking.reason(day) or "it was not made"}

    def is_kept(self, day: date) -> bool:
        """Everything is in the lake."""
        return True

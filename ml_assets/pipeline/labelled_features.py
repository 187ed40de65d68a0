"""The labelled features of a day as training reads them, in this process or on a worker of a cluster."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ml_assets.core.spec import ModelSpec
from ml_assets.core.splits import split_days
from ml_assets.pipeline.features import FEATURES
from ml_assets.pipeline.labels import LabelsByKey
from ml_assets.pipeline.stage import InputChanged
from ml_assets.resources.lake import Lake
from ml_assets.resources.landing import Landing
from ml_assets.resources.table import Table

if TYPE_CHECKING:
    import pandas as pd


class LabelledFeatures:
    """Reads features and target of a day, with the labels that count on the day that the model is of.

    It can be sent to another process: that opens lake and landing by their addresses, with the credentials that it finds itself, and makes sure that
    it reads the days that this process saw.

    Args:
        spec: the model.
        lake: the lake.
        landing: the landing, where label files are looked up.
        as_of: the day that the model is of.
        features: the table of features.
        labels: the labels of its rows, where they come in files of their own.
    """

    def __init__(self, spec: ModelSpec, lake: Lake, landing: Landing, as_of: date, features: Table, labels: LabelsByKey | None):
        self._spec, self._lake, self._landing, self._as_of, self._features, self._labels = spec, lake, landing, as_of, features, labels
        self._expected: Mapping[date, int | None] = {}

    def __call__(self, day: date) -> "pd.DataFrame":
        """Target and features of the rows of a day, in their order.

        Raises:
            InputChanged: on a worker, when the day was made again since training began.
        """
        from ml_assets.core.schemas import to_pandas

        if self._expected and self._features.fingerprint(day) != self._expected.get(day):
            raise InputChanged(f"the {FEATURES} of {day} were made again while the model of {self._as_of} was trained")
        target, names = self._spec.target, self._spec.feature_names()
        if self._labels:
            return to_pandas(self._features.read([day], names)).assign(**{target: self._labels.column(day, self._as_of)})
        return to_pandas(self._features.read([day], list(dict.fromkeys([target, *names]))))

    def __reduce__(self):
        seen = {day: self._features.fingerprint(day) for day in split_days(self._spec, self._as_of).window}
        places = (self._lake.uri, dict(self._lake.s3), self._landing.uri, dict(self._landing.s3))
        return _open_elsewhere, (self._spec.model_dump(mode="json"), *places, self._as_of, seen)


def _open_elsewhere(spec: dict, lake: str, lake_s3: dict, landing: str, landing_s3: dict, as_of: date, expected: dict) -> LabelledFeatures:
    from ml_assets.core.schemas import features_schema

    model, its_lake, its_landing = ModelSpec.model_validate(spec), Lake(uri=lake, s3=lake_s3), Landing(uri=landing, s3=landing_s3)
    table = its_lake.table(model.name, FEATURES, features_schema(model))
    labels = LabelsByKey(model, its_lake, its_landing, table) if model.labels else None
    reader = LabelledFeatures(model, its_lake, its_landing, as_of, table, labels)
    reader._expected = expected
    return reader

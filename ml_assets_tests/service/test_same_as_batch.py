"""The service and the daily batch give the same score for the same history."""

import pandas as pd

from ml_assets.core.features.inputs import columns_read
from ml_assets.core.features.serving_skew import build_features_at
from ml_assets.core.tables.schemas import to_pandas
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.resources.lake.model_files import artifacts_key
from ml_assets_tests.pipeline.world import day, rows_of
from ml_assets_tests.service.conftest import LAST, request_of


def test_scores_of_a_day_equal_those_of_the_features_that_the_batch_commits(served, world):
    today = rows_of(day(LAST + 1)).sort_values(["event_time", "id"], ignore_index=True)
    requests = [request_of(row) for row in today.to_dict("records")]
    # Each request carries all rows before it, so only every fourth is sent.
    positions = range(0, len(requests), 4)
    served.wait_for(features_through=str(day(LAST)))
    online = [served.score({**requests[position], "earlier_rows": requests[:position]}) for position in positions]
    assert {answer.status_code for answer in online} == {200}
    world.land(day(LAST + 1), rows_of(day(LAST + 1)))
    world.run(list(LANDED_TO_FEATURES), day(LAST + 1))
    stages = world.stages()
    features = to_pandas(stages.features.features.read([day(LAST + 1)]))
    digest = served.mlflow.get_model_version("small", "2").tags["model_digest"]
    scorer = read_scorer(world.lake, artifacts_key("small", digest))
    assert features["id"].tolist() == today["id"].tolist()
    assert [answer.json()["score"] for answer in online] == scorer.score(features)[positions].tolist()
    assert [answer.json()["decision"] for answer in online] == (
        scorer.score(features)[positions] >= scorer.threshold
    ).tolist()


def test_without_earlier_rows_of_the_day_the_score_uses_the_committed_history(served, world):
    spec, row = world.spec, rows_of(day(LAST + 1)).iloc[[30]]
    table = world.stages().validation.tables["validated_data"]
    history = to_pandas(table.read([day(number) for number in range(1, LAST + 1)], columns_read(spec)))
    row_without_label = row.assign(
        event_time=row["event_time"].dt.tz_localize("UTC").dt.as_unit("us"), label=pd.array([pd.NA], dtype="Int64")
    )
    features = build_features_at(spec, row_without_label, history, row_without_label["event_time"].iloc[0])
    digest = served.mlflow.get_model_version("small", "2").tags["model_digest"]
    expected = read_scorer(world.lake, artifacts_key("small", digest)).score(features)
    (request,) = [request_of(record) for record in row.to_dict("records")]
    assert served.score(request).json()["score"] == expected[0]

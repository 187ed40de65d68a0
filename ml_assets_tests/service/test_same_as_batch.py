"""The service and the daily batch give the same score for the same knowledge."""

import pandas as pd

from ml_assets.core.features.point_in_time import columns_read
from ml_assets.core.features.serving_skew import features_at
from ml_assets.core.tables.schemas import to_pandas
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.pipeline.evaluation.model_reader import read_scorer
from ml_assets.pipeline.training.stage import artifacts_key
from ml_assets_tests.pipeline.world import day, rows_of
from ml_assets_tests.service.conftest import LAST, request_of


def test_scores_of_a_day_are_those_of_the_features_that_the_batch_commits(served, world):
    today = rows_of(day(LAST + 1)).sort_values(["event_time", "id"], ignore_index=True)
    requests = [request_of(row) for row in today.to_dict("records")]
    # Each with all rows before it, which takes its time.
    asked = range(0, len(requests), 4)
    served.wait_for(features_through=str(day(LAST)))
    online = [served.score({**requests[place], "earlier_rows": requests[:place]}) for place in asked]
    assert {answer.status_code for answer in online} == {200}
    world.land(day(LAST + 1), rows_of(day(LAST + 1)))
    world.run(list(LANDED_TO_FEATURES), day(LAST + 1))
    stages = world.stages()
    features = to_pandas(stages.features.features.read([day(LAST + 1)]))
    digest = served.mlflow.get_model_version("small", "2").tags["model_digest"]
    scorer = read_scorer(world.lake, artifacts_key("small", digest))
    assert features["id"].tolist() == today["id"].tolist()
    assert [answer.json()["score"] for answer in online] == scorer.score(features)[asked].tolist()
    assert [answer.json()["decision"] for answer in online] == (
        scorer.score(features)[asked] >= scorer.threshold
    ).tolist()


def test_without_the_rows_of_the_day_the_score_is_that_of_what_is_committed(served, world):
    spec, row = world.spec, rows_of(day(LAST + 1)).iloc[[30]]
    table = world.stages().validation.tables["validated_data"]
    history = to_pandas(table.read([day(number) for number in range(1, LAST + 1)], columns_read(spec)))
    known = row.assign(
        event_time=row["event_time"].dt.tz_localize("UTC").dt.as_unit("us"), label=pd.array([pd.NA], dtype="Int64")
    )
    built = features_at(spec, known, history, known["event_time"].iloc[0])
    digest = served.mlflow.get_model_version("small", "2").tags["model_digest"]
    expected = read_scorer(world.lake, artifacts_key("small", digest)).score(built)
    (request,) = [request_of(each) for each in row.to_dict("records")]
    assert served.score(request).json()["score"] == expected[0]

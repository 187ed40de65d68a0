"""Each row is scored by the model that is live for it; the highest scores of all rows have reasons."""

import json

import numpy as np
import pytest

from ml_assets.core.model.scorer import Scorer
from ml_assets.core.serving.batch_predictions import predict
from ml_assets_tests.pipeline.live_cases import AMOUNT, MORE, model, rows_with_features
from ml_assets_tests.pipeline.world import day


@pytest.fixture(scope="module")
def live() -> dict[str, tuple[int, Scorer]]:
    result = {}
    for side, version, kind in [("champion", 3, "first"), ("challenger", 8, "better")]:
        files = model(kind)
        result[side] = version, Scorer.from_bytes(files["model.ubj"], files["preprocessing.json"])
    return result


COLUMNS = ["score", "decision", "model_version", "side", "reasons", "shadow_score"]
ROWS = rows_with_features(day(1), count=60)
CHALLENGERS = np.arange(60) % 3 == 0


def test_each_row_is_scored_by_the_model_that_is_live_for_it(live):
    result = predict(ROWS, live, CHALLENGERS, 0, 3)
    assert result.columns.tolist() == COLUMNS
    for side, mask in [("champion", ~CHALLENGERS), ("challenger", CHALLENGERS)]:
        version, scorer = live[side]
        of_side = result[mask]
        assert of_side["score"].tolist() == scorer.score(ROWS)[mask].tolist()
        assert (of_side["decision"] == (of_side["score"] >= scorer.threshold)).all()
        assert (of_side["side"].unique().tolist(), of_side["model_version"].unique().tolist()) == ([side], [version])
    assert result["reasons"].isna().all()


def test_the_highest_scores_of_both_models_together_have_reasons(live):
    result = predict(ROWS, live, CHALLENGERS, 12, 1)
    assert result["reasons"].notna().sum() == 12
    assert result.loc[result["reasons"].notna(), "score"].min() >= result.loc[result["reasons"].isna(), "score"].max()
    logged = {
        side: {reason["feature"] for text in of["reasons"].dropna() for reason in json.loads(text)}
        for side, of in result.groupby("side")
    }
    assert logged["champion"] == {AMOUNT}
    assert logged["challenger"] <= {AMOUNT, MORE}


def test_without_a_challenger_the_champion_scores_every_row(live):
    result = predict(ROWS, {"champion": live["champion"]}, np.zeros(60, dtype=bool), 5, 3)
    assert result["side"].unique().tolist() == ["champion"]


def test_no_rows_give_no_predictions(live):
    assert predict(ROWS.iloc[:0], live, np.zeros(0, dtype=bool), 5, 3).columns.tolist() == COLUMNS


def test_a_missing_feature_is_named(live):
    with pytest.raises(ValueError, match=MORE):
        predict(ROWS.drop(columns=MORE), live, CHALLENGERS, 5, 3)


def test_a_challenger_in_shadow_scores_every_row_and_decides_none(live):
    result = predict(ROWS, live, np.zeros(60, dtype=bool), 5, 3, is_shadow=True)
    assert result["shadow_score"].tolist() == live["challenger"][1].score(ROWS).tolist()
    without = predict(ROWS, live, np.zeros(60, dtype=bool), 5, 3)
    assert without["shadow_score"].isna().all()
    assert result.drop(columns="shadow_score").equals(without.drop(columns="shadow_score"))

"""The service over HTTP: responses, refusals, readiness, metrics, and failures of registry and lake."""

import json
import shutil
import sqlite3
import threading
import time

import httpx
import pytest

from ml_assets.core.release.traffic_split import is_routed_to_challenger
from ml_assets.core.serving.request import InvalidRequest
from ml_assets.pipeline.asset_names import LANDED_TO_FEATURES
from ml_assets.service.app import read_reasons
from ml_assets_tests.pipeline.world import World, day, rows_of
from ml_assets_tests.service.conftest import LAST, serving


def test_a_response_has_score_decision_version_side_and_newest_day_of_history(served, row):
    answer = served.score(row)
    assert answer.status_code == 200
    content = answer.json()
    assert set(content) == {"score", "decision", "model_version", "side", "features_through"}
    assert 0 < content["score"] < 1
    assert (content["model_version"], content["side"], content["features_through"]) == (2, "champion", str(day(LAST)))


def test_reasons_are_returned_on_request(served, row):
    plain, explained = served.score(row).json(), served.score(row, reasons=2).json()
    assert {name: value for name, value in explained.items() if name != "reasons"} == {**plain}
    assert 1 <= len(explained["reasons"]) <= 2
    assert set(explained["reasons"][0]) == {"feature", "value", "contribution"}
    refused = served.score(row, reasons=99)
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", "reasons"])


@pytest.mark.parametrize(
    "query", [b"reasons=21", b"reasons=-1", b"reasons=two", b"reasons=", b"reasons=1&reasons=\xb2"]
)
def test_a_number_of_reasons_out_of_range_is_refused(query):
    with pytest.raises(InvalidRequest, match=r"query\.reasons: not a whole number from 0 to 20"):
        read_reasons(query)


def test_the_number_of_reasons_is_read_from_the_query():
    assert [read_reasons(query) for query in (b"", b"reasons=0", b"other=3", b"reasons=20")] == [0, 0, 0, 20]


def test_a_request_that_breaks_the_contract_is_refused_with_the_field(served, row):
    answer = served.score({**row, "amount": -1, "colour": "red"})
    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {"type": "minimum", "loc": ["body", "amount"], "msg": "less than minimum 0", "input": -1},
        {"type": "extra_forbidden", "loc": ["body", "colour"], "msg": "Extra inputs are not permitted", "input": "red"},
    ]
    too_old = served.score({**row, "event_time": "2025-01-02T00:00:00Z"})
    assert (too_old.status_code, too_old.json()["detail"][0]["loc"]) == (422, ["body", "event_time"])
    for far in ("2199-12-31T23:59:59Z", "2150-01-01T00:00:00+02:00"):
        too_new = served.score({**row, "event_time": far})
        (detail,) = too_new.json()["detail"]
        assert (too_new.status_code, detail["type"], detail["loc"]) == (422, "too_new", ["body", "event_time"])
        assert "lies more than 1d after the present time of the service" in detail["msg"]
    metrics = served.client.get("/metrics").text
    assert 'ml_assets_refused_total{field="event_time",rule="too_new"} 2.0' in metrics
    assert 'ml_assets_refused_total{field="amount",rule="minimum"} 1.0' in metrics
    assert 'ml_assets_refused_total{field="unknown",rule="extra_forbidden"} 1.0' in metrics


@pytest.mark.slow
def test_entities_are_routed_as_in_the_batch(served, row):
    served.release(champion=1, challenger=2, percent=40)
    cards = [f"card-{number}" for number in range(30)]
    responses = {card: served.score({**row, "card": card}).json() for card in cards}
    expected = {card: is_routed_to_challenger("small", card, 40) for card in cards}
    assert {card: content["side"] == "challenger" for card, content in responses.items()} == expected
    assert {card: content["model_version"] == 2 for card, content in responses.items()} == expected
    assert any(expected.values())
    assert not all(expected.values())


def test_a_moved_alias_takes_effect_within_seconds(served, row):
    seconds = []
    # A busy machine may hold up one of them.
    for champion in (1, 2, 1):
        begun = time.monotonic()
        served.release(champion)
        seconds.append(time.monotonic() - begun)
        assert served.score(row).json()["model_version"] == champion
    assert min(seconds) < 5


def test_a_new_day_of_history_is_loaded(served, row, world: World):
    world.land(day(LAST + 1), rows_of(day(LAST + 1)))
    world.run(list(LANDED_TO_FEATURES), day(LAST + 1))
    served.wait_for(features_through=str(day(LAST + 1)))
    assert served.score({**row, "event_time": f"{day(LAST + 2)}T09:00:00Z"}).json()["features_through"] == str(
        day(LAST + 1)
    )


@pytest.mark.parametrize("broken", ["model.ubj", "preprocessing.json"])
def test_the_previous_champion_keeps_scoring_if_the_new_one_cannot_be_loaded(served, row, world: World, broken):
    digest = served.mlflow.get_model_version("small", "1").tags["model_digest"]
    file = world.root / "lake" / "small" / "models" / digest / broken
    content = file.read_bytes()
    file.write_bytes(b"not a model")
    served.mlflow.set_registered_model_alias("small", "champion", "1")
    state = served.wait_until(lambda state: state["problem"] is not None)
    assert (state["ready"], state["champion"]) == (True, 2)
    assert "version 1 of small cannot be loaded" in state["problem"]
    assert served.score(row).json()["model_version"] == 2
    assert "ml_assets_models_in_sync 0.0" in served.client.get("/metrics").text
    file.write_bytes(content)
    served.wait_for(champion=1, problem=None)


def test_the_champion_scores_all_entities_if_the_challenger_cannot_be_loaded(served, row, world: World):
    digest = served.mlflow.get_model_version("small", "1").tags["model_digest"]
    shutil.rmtree(world.root / "lake" / "small" / "models" / digest)
    served.mlflow.set_registered_model_alias("small", "challenger", "1")
    served.mlflow.set_registered_model_tag("small", "canary_percent", "100")
    state = served.wait_until(lambda state: state["problem"] is not None)
    assert "the champion scores the entities of the challenger" in state["problem"]
    assert served.score(row).json()["side"] == "champion"


def test_scoring_continues_and_reports_its_age_while_the_registry_is_down(served, row, world: World):
    def rename(old: str, new: str) -> None:
        with sqlite3.connect(world.root / "mlflow.db", timeout=30) as store:
            store.execute(f"ALTER TABLE {old} RENAME TO {new}")

    rename("registered_models", "away")
    served.wait_until(lambda state: state["registry_age_seconds"] > 0.5)
    assert served.score(row).status_code == 200
    assert served.state()["ready"]
    # A refresh that has begun fails a moment later.
    served.wait_until(lambda _: 'ml_assets_failed_refreshes_total{at="registry"}' in served.client.get("/metrics").text)
    rename("away", "registered_models")
    served.release(champion=1)
    assert served.score(row).json()["model_version"] == 1


def test_without_a_champion_no_request_is_scored_and_the_reason_is_reported(world: World, row):
    world.registry.client.delete_registered_model_alias("small", "champion")
    with serving(world) as served:
        served.wait_for(ready=False, features_through=str(day(LAST)))
        served.wait_until(lambda state: "no version with the alias champion" in state["missing"])
        assert served.client.get("/health").status_code == 200
        assert served.client.get("/ready").status_code == 503
        answer = served.score(row)
        assert answer.status_code == 503
        assert "no version with the alias champion" in answer.json()["detail"]
        served.mlflow.set_registered_model_alias("small", "champion", "1")
        served.wait_for(ready=True)
        assert served.score(row).status_code == 200


def test_a_configured_api_key_is_required(world: World, row):
    with serving(world, api_key="secret") as served:
        served.wait_for(ready=True)
        assert served.score(row).status_code == 401
        assert served.client.post("/score", json=row, headers={"X-API-Key": b"secre\xe9"}).status_code == 401
        assert served.client.post("/score", json=row, headers={"X-API-Key": "secret"}).status_code == 200
        assert {served.client.get(path).status_code for path in ("/health", "/ready", "/metrics")} == {200}
        assert served.client.get("/openapi.json").status_code == 404


def test_a_request_that_is_too_large_is_refused_however_it_is_sent(world: World, row):
    with serving(world, body_bytes=500) as served:
        served.wait_for(ready=True)
        large = json.dumps({**row, "card": "x" * 600}).encode()
        assert served.client.post("/score", content=large).status_code == 413
        # Without a length, in pieces.
        assert served.client.post("/score", content=iter([large[:300], large[300:]])).status_code == 413
        assert served.score(row).status_code == 200


def test_the_openapi_schema_has_the_columns(served):
    description = served.client.get("/openapi.json").json()
    schema = description["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"id", "event_time", "card", "amount", "earlier_rows"}
    assert set(description["paths"]) == {"/score", "/health", "/ready", "/metrics"}


def test_no_request_fails_while_aliases_move(served, row):
    statuses, stop = [], threading.Event()

    def send_requests() -> None:
        with httpx.Client(base_url=served.address) as client:
            while not stop.is_set():
                statuses.append(client.post("/score", json=row).status_code)

    threads = [threading.Thread(target=send_requests) for _ in range(4)]
    for thread in threads:
        thread.start()
    for champion, challenger, percent in [(1, 2, 50), (1, 2, 100), (2, 2, 0), (1, 2, 5), (2, 1, 30)] * 2:
        served.mlflow.set_registered_model_alias("small", "champion", str(champion))
        served.mlflow.set_registered_model_alias("small", "challenger", str(challenger))
        served.mlflow.set_registered_model_tag("small", "canary_percent", str(percent))
        time.sleep(0.1)
    served.wait_for(champion=2, challenger=1, canary_percent=30)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert len(statuses) > 100


def test_a_client_above_the_rate_is_told_when_to_retry_and_health_checks_are_not_limited(world, row):
    with serving(world, per_second=0.5, api_key="secret") as served:
        served.wait_for(ready=True)
        # Requests with a wrong key count too, so that keys cannot be guessed quickly.
        assert [served.score(row).status_code for _ in range(3)] == [401, 429, 429]
        refused = served.client.post("/score", json=row, headers={"X-API-Key": "secret"})
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 2
        assert {served.client.get("/health").status_code for _ in range(5)} == {200}
        time.sleep(2.1)
        assert served.client.post("/score", json=row, headers={"X-API-Key": "secret"}).status_code == 200
        assert 'ml_assets_requests_total{status="429"} 3.0' in served.client.get("/metrics").text

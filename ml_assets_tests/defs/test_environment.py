"""Settings come from the environment, with defaults locally and none in production."""

from pathlib import Path
from urllib.parse import urlencode

import dagster as dg
import pytest

from ml_assets.defs.environment import build_environment
from ml_assets.defs.settings import REPOSITORY, read_settings
from ml_assets.defs.variables import (
    lineage_namespace,
    pushes_metrics,
    read_api_key,
    read_log_format,
    read_notify_targets,
    read_request_rate,
    read_trusted_proxies,
    secret_values,
    split_mlflow_credentials,
)
from ml_assets.resources.databases.postgresql_uri import TIMEOUTS

DATA = REPOSITORY / "data"

PRODUCTION = {
    "ML_ASSETS_ENV": "production",
    "ML_ASSETS_LANDING": "s3://landing",
    "ML_ASSETS_LAKE": "s3://lake/x",
    "MLFLOW_TRACKING_URI": "http://mlflow",
    "DAGSTER_HOME": "/opt/dagster",
    "ML_ASSETS_DEPLOY": "s3://production/models",
}


def test_local_defaults_lie_under_one_directory():
    settings = read_settings({})
    assert settings.environment == "local"
    assert settings.landing == str(DATA / "landing")
    assert settings.lake == str(DATA / "lake")
    assert settings.mlflow == f"sqlite:///{DATA / 'mlflow.db'}"
    assert settings.dagster_home == str(DATA / "dagster")
    assert settings.deploy == str(DATA / "production")
    assert settings.ui == ""


def test_a_relative_path_is_below_the_project_whatever_the_folder_of_the_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = read_settings(
        {
            "ML_ASSETS_PROJECT": "/srv/shop",
            "ML_ASSETS_LANDING": "landing",
            "ML_ASSETS_LAKE": "~/lake",
            "ML_ASSETS_DEPLOY": "s3://production",
            "MLFLOW_TRACKING_URI": "sqlite:///data/s3.db?timeout=5",
        }
    )
    assert (settings.landing, settings.lake) == ("/srv/shop/landing", str(Path.home() / "lake"))
    assert (settings.deploy, settings.mlflow) == ("s3://production", "sqlite:////srv/shop/data/s3.db?timeout=5")


def test_each_location_can_be_set():
    settings = read_settings(
        {
            **PRODUCTION,
            "AWS_ENDPOINT_URL": "http://s3",
            "AWS_REGION": "eu-west-1",
            "ML_ASSETS_UI": "http://dagster:3000/",
        }
    )
    assert (settings.landing, settings.lake, settings.mlflow, settings.dagster_home) == (
        "s3://landing",
        "s3://lake/x",
        "http://mlflow",
        "/opt/dagster",
    )
    assert (settings.deploy, settings.ui) == ("s3://production/models", "http://dagster:3000")
    assert settings.s3 == {"endpoint_url": "http://s3", "region_name": "eu-west-1"}


DATABASE = "postgresql://me:secret@host/state"


def test_one_variable_puts_the_state_of_dagster_and_mlflow_into_postgresql():
    settings = read_settings({"ML_ASSETS_DATABASE": DATABASE})
    assert settings.database == DATABASE
    assert (
        settings.mlflow
        == f"postgresql+psycopg2://me:secret@host/state?options=-csearch_path%3Dmlflow&{urlencode(TIMEOUTS)}"
    )
    assert settings.artifacts == (DATA / "mlartifacts").as_uri()
    elsewhere = {"ML_ASSETS_DATABASE": DATABASE, "MLFLOW_TRACKING_URI": "http://mlflow"}
    assert (read_settings(elsewhere).mlflow, read_settings(elsewhere).artifacts) == ("http://mlflow", None)


@pytest.mark.parametrize(
    ("stated", "uri"), [("s3://bucket/mlflow", "s3://bucket/mlflow"), ("/data/artifacts", "file:///data/artifacts")]
)
def test_the_artifact_root_of_a_store_in_postgresql_comes_from_its_variable(stated, uri):
    assert read_settings({"ML_ASSETS_DATABASE": DATABASE, "MLFLOW_DEFAULT_ARTIFACT_ROOT": stated}).artifacts == uri
    assert read_settings({"MLFLOW_DEFAULT_ARTIFACT_ROOT": stated}).artifacts is None


def test_production_needs_a_place_for_artifacts_of_a_store_in_postgresql():
    with pytest.raises(ValueError, match="needs MLFLOW_DEFAULT_ARTIFACT_ROOT"):
        read_settings({**PRODUCTION, "MLFLOW_TRACKING_URI": DATABASE})


def test_a_database_of_another_kind_is_refused_without_its_password():
    with pytest.raises(ValueError, match="not the URI of a PostgreSQL database") as caught:
        read_settings({"ML_ASSETS_DATABASE": "mysql://me:secret@host/state"})
    assert "secret" not in str(caught.value)


def test_resources_are_configured_without_the_password():
    resources = build_environment(read_settings({"ML_ASSETS_DATABASE": DATABASE})).resources or {}
    assert {name: resources[name].tracking_uri for name in ("registry", "tracking")} == dict.fromkeys(
        ("registry", "tracking"), "postgresql+psycopg2://host/state"
    )


@pytest.mark.parametrize("environment", ["staging", "Local", ""])
def test_an_unknown_environment_is_refused(environment):
    with pytest.raises(ValueError, match="must be one of local, production"):
        read_settings({"ML_ASSETS_ENV": environment})


@pytest.mark.parametrize(
    "name", ["ML_ASSETS_LANDING", "ML_ASSETS_LAKE", "MLFLOW_TRACKING_URI", "DAGSTER_HOME", "ML_ASSETS_DEPLOY"]
)
def test_production_has_no_defaults(name):
    with pytest.raises(ValueError, match=f"production, which needs {name} to be set"):
        read_settings({**PRODUCTION, name: ""})


@pytest.mark.parametrize(
    ("name", "uri", "message"),
    [
        ("ML_ASSETS_LANDING", "gs://bucket", "ML_ASSETS_LANDING gs://bucket: expected a directory or s3://"),
        (
            "ML_ASSETS_LAKE",
            "/data/my%20lake",
            "Delta tables cannot be under a path with '%20'; rename the folder, or set",
        ),
        ("ML_ASSETS_LAKE", "s3:/bucket", "ML_ASSETS_LAKE s3:/bucket: expected a directory or s3://"),
        ("ML_ASSETS_DEPLOY", "file:models", "ML_ASSETS_DEPLOY file:models: expected a directory"),
        ("MLFLOW_TRACKING_URI", "databricks", "MLFLOW_TRACKING_URI 'databricks' is neither a server"),
        ("MLFLOW_TRACKING_URI", "sqlite:/data/mlflow.db", "MLFLOW_TRACKING_URI .* is neither a server"),
    ],
)
def test_a_place_of_an_unknown_kind_is_refused_by_the_name_of_its_variable(name, uri, message):
    with pytest.raises(ValueError, match=message):
        read_settings({name: uri})


def test_steps_run_in_process_locally_and_as_kubernetes_jobs_in_production():
    assert build_environment(read_settings({})).executor is dg.in_process_executor
    executor = build_environment(read_settings(PRODUCTION)).executor
    assert isinstance(executor, dg.ExecutorDefinition)
    assert executor.name == "k8s"


@pytest.mark.parametrize("variables", [{}, PRODUCTION])
def test_every_environment_has_the_resources_that_assets_need(variables):
    assert set(build_environment(read_settings(variables)).resources or {}) == {
        "landing",
        "lake",
        "registry",
        "tracking",
        "deploy_target",
    }


def test_the_key_of_the_service_comes_from_a_variable_or_a_file(tmp_path):
    (tmp_path / "key").write_text("secret\n")
    assert read_api_key({}) is None
    assert read_api_key({"ML_ASSETS_API_KEY": "secret"}) == "secret"
    assert read_api_key({"ML_ASSETS_API_KEY_FILE": str(tmp_path / "key")}) == "secret"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ML_ASSETS_API_KEY": " "}, "ML_ASSETS_API_KEY is empty"),
        ({"ML_ASSETS_API_KEY": "a", "ML_ASSETS_API_KEY_FILE": "b"}, "both set"),
        ({"ML_ASSETS_API_KEY_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_a_key_that_is_not_valid_does_not_leave_the_service_open(variables, message):
    with pytest.raises(ValueError, match=message):
        read_api_key(variables)


@pytest.mark.parametrize(("stated", "rate"), [(None, 5000), ("", 5000), ("20", 20), ("0.5", 0.5), ("unlimited", None)])
def test_the_rate_of_requests_is_generous_unless_stated(stated, rate):
    assert read_request_rate({} if stated is None else {"ML_ASSETS_REQUESTS_PER_SECOND": stated}) == rate


@pytest.mark.parametrize("stated", ["0", "-1", "many", "nan", "inf"])
def test_a_rate_that_is_not_valid_is_refused(stated):
    with pytest.raises(ValueError, match="ML_ASSETS_REQUESTS_PER_SECOND"):
        read_request_rate({"ML_ASSETS_REQUESTS_PER_SECOND": stated})


def test_notification_targets_come_from_a_variable_or_a_file(tmp_path):
    file = tmp_path / "targets"
    file.write_text("slack://a/b/c\nmailto://me:pw@example.com\n")
    assert read_notify_targets({}) == ""
    assert read_notify_targets({"ML_ASSETS_NOTIFY": " json://host/hook "}) == "json://host/hook"
    assert read_notify_targets({"ML_ASSETS_NOTIFY_FILE": str(file)}).split() == [
        "slack://a/b/c",
        "mailto://me:pw@example.com",
    ]
    for variables in (
        {"ML_ASSETS_NOTIFY": "x", "ML_ASSETS_NOTIFY_FILE": str(file)},
        {"ML_ASSETS_NOTIFY": ""},
        {"ML_ASSETS_NOTIFY_FILE": "/missing"},
    ):
        with pytest.raises(ValueError, match="ML_ASSETS_NOTIFY"):
            read_notify_targets(variables)


def test_secrets_are_known_by_the_names_of_their_variables_and_by_the_users_of_uris():
    variables = {
        "AWS_SECRET_ACCESS_KEY": "s1",
        "AWS_SESSION_TOKEN": "s2",
        "MLFLOW_TRACKING_PASSWORD": "s3",
        "ML_ASSETS_API_KEY": "s4",
        "ML_ASSETS_API_KEY_FILE": "/no/secret",
        "ML_ASSETS_DATABASE": "postgresql://me:s5@host/state",
        "ML_ASSETS_NOTIFY": "json://host/s6",
        "DAGSTER_PG_PASSWORD": "s7",
        "ML_ASSETS_LAKE": "s3://bucket/lake",
        "KEYBOARD": "qwerty",
    }
    assert set(secret_values(variables)) == {"s1", "s2", "s3", "s4", "me:s5", "s5", "json://host/s6", "s7"}


@pytest.mark.parametrize(
    ("variables", "secrets"),
    [
        ({"MLFLOW_TRACKING_URI": "mysql+pymysql://me:p%40ss@host/db"}, {"me:p%40ss", "p%40ss"}),
        ({"ML_ASSETS_DATABASE": "postgresql://host/db?user=me&password=word1"}, {"word1"}),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "Authorization=abc"}, {"Authorization=abc"}),
        ({"ML_ASSETS_NOTIFY": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"}, {"TIiajkdnlazkcOXrIdevi7FQ"}),
        (
            {"ML_ASSETS_NOTIFY": "mailtos://me:word@smtp.example.com:587?from=ops@example.com&to=team@example.com"},
            {"me:word", "word"},
        ),
        ({"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "word1"}, {"me:word1", "word1"}),
    ],
)
def test_secrets_are_found_wherever_a_variable_may_hold_one(variables, secrets):
    assert secrets <= set(secret_values(variables))


def test_the_host_of_a_mail_server_is_no_secret():
    for target in ("mailto://127.0.0.1:2525?from=ops@example.com", "mailto://me:word@127.0.0.1?from=ops@example.com"):
        assert "127.0.0.1" not in secret_values({"ML_ASSETS_NOTIFY": target})


def test_the_content_of_a_file_with_a_secret_is_a_secret(tmp_path):
    (tmp_path / "key").write_text("the-key\n")
    assert "the-key" in secret_values({"ML_ASSETS_API_KEY_FILE": str(tmp_path / "key")})
    assert secret_values({"ML_ASSETS_API_KEY_FILE": str(tmp_path / "none")}) == []


def test_user_and_password_of_a_server_become_variables_of_mlflow():
    assert split_mlflow_credentials({"MLFLOW_TRACKING_URI": "https://me:p%40ss@host:5000/x"}) == {
        "MLFLOW_TRACKING_URI": "https://host:5000/x",
        "MLFLOW_TRACKING_USERNAME": "me",
        "MLFLOW_TRACKING_PASSWORD": "p@ss",
    }
    for uri in ("http://host", "http://me@host", "postgresql://me:word@host/db", "http://[broken", ""):
        assert split_mlflow_credentials({"MLFLOW_TRACKING_URI": uri}) == {}


def test_links_and_endpoints_have_no_user():
    variables = {"ML_ASSETS_UI": "http://me:word@dagster/", "AWS_ENDPOINT_URL": "http://me:word@minio:9000"}
    settings = read_settings(variables)
    assert (settings.ui, settings.s3) == ("http://dagster", {"endpoint_url": "http://minio:9000"})


def test_no_configuration_of_the_environment_holds_a_target_or_a_database(monkeypatch):
    monkeypatch.setenv("ML_ASSETS_NOTIFY", "json://host/target-secret")
    built = build_environment(read_settings({"ML_ASSETS_DATABASE": DATABASE}))
    assert {sensor.name for sensor in built.sensors or []} == {"notifications", "rollback_notifications"}
    shown = [
        resource.model_dump()
        for resource in (built.resources or {}).values()
        if isinstance(resource, dg.ConfigurableResource)
    ]
    assert "target-secret" not in repr(shown)
    assert "secret@host" not in repr(shown)


def test_metrics_are_pushed_to_a_configured_endpoint_and_logs_are_text_by_default():
    assert not pushes_metrics({"OTEL_SERVICE_NAME": "x"})
    assert pushes_metrics({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    assert pushes_metrics({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://prometheus:9090/api/v1/otlp/v1/metrics"})
    assert (read_log_format({}), read_log_format({"ML_ASSETS_LOG": "json"})) == ("text", "json")
    with pytest.raises(ValueError, match="it must be text or json"):
        read_log_format({"ML_ASSETS_LOG": "xml"})


def test_lineage_is_off_unless_openlineage_names_a_place():
    assert lineage_namespace({"OPENLINEAGE_NAMESPACE": "production"}) is None
    assert lineage_namespace({"OPENLINEAGE_URL": ""}) is None
    assert lineage_namespace({"OPENLINEAGE_URL": "http://marquez:5000"}) == "ml_assets"
    assert lineage_namespace({"OPENLINEAGE_CONFIG": "/x.yml", "OPENLINEAGE_NAMESPACE": "production"}) == "production"
    assert lineage_namespace({"OPENLINEAGE__TRANSPORT__TYPE": "console"}) == "ml_assets"
    assert lineage_namespace({"OPENLINEAGE_URL": "http://marquez:5000", "OPENLINEAGE_DISABLED": "true"}) is None


def test_the_keys_of_openlineage_are_secrets():
    variables = {"OPENLINEAGE_API_KEY": "first-secret", "OPENLINEAGE__TRANSPORT__AUTH": "second-secret"}
    assert {"first-secret", "second-secret"} <= {*secret_values(variables)}


def test_no_proxy_is_trusted_unless_it_is_named():
    assert read_trusted_proxies({}) is None
    assert read_trusted_proxies({"FORWARDED_ALLOW_IPS": " "}) is None
    assert read_trusted_proxies({"FORWARDED_ALLOW_IPS": "10.0.0.0/8"}) == "10.0.0.0/8"

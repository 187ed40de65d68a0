"""Example of the main job on an S3 server: landing and lake are in one bucket, and a second run has nothing to do.

python examples/s3/run.py
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# The MLflow store and the Dagster instance of this example; both refer to the bucket, so they are created with it.
DATA = REPOSITORY / "data" / "s3"
BUCKET = "ml-assets"


def variables(endpoint: str, data: Path, present: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the main job: landing, lake and deploy target in the bucket, the rest in a directory.

    Args:
        endpoint: http:// address of the store.
        data: the directory of MLflow's store and Dagster's instance.
        present: the current environment; its AWS variables are dropped, so that no real account is ever used.
    """
    kept = {name: value for name, value in present.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "ML_ASSETS_ENV": "local",
        "ML_ASSETS_LANDING": f"s3://{BUCKET}/landing",
        "ML_ASSETS_LAKE": f"s3://{BUCKET}/lake",
        "ML_ASSETS_DEPLOY": f"s3://{BUCKET}/production",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "MLFLOW_TRACKING_URI": f"sqlite:///{data / 'mlflow.db'}",
        "DAGSTER_HOME": str(data / "dagster"),
    }


def main() -> None:
    """Start the server, create the bucket, run the main job twice, stop the server."""
    import logging

    import boto3
    from moto.server import ThreadedMotoServer

    shutil.rmtree(DATA, ignore_errors=True)
    (DATA / "dagster").mkdir(parents=True)
    (DATA / "dagster" / "dagster.yaml").symlink_to(REPOSITORY / "ml_assets/resources/dagster_instance/dagster.yaml")
    # Without this there is a line for each request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = variables(f"http://{host}:{port}", DATA, os.environ)
    try:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = boto3.client(
            "s3", endpoint_url=environment["AWS_ENDPOINT_URL"], region_name=environment["AWS_REGION"], **keys
        )
        client.create_bucket(Bucket=BUCKET)
        for ordinal in ("first", "second"):
            print(f"\n=== The {ordinal} run, on s3://{BUCKET} at {environment['AWS_ENDPOINT_URL']}\n", flush=True)
            begun = time.perf_counter()
            done = subprocess.run([sys.executable, "-m", "ml_assets.cli", "run"], env=environment, cwd=REPOSITORY)
            if done.returncode:
                sys.exit(f"the {ordinal} run failed with status {done.returncode}")
            print(
                f"The {ordinal} run took {time.perf_counter() - begun:.1f} s, with the start of the process", flush=True
            )
    finally:
        server.stop()


if __name__ == "__main__":
    main()

"""The examples in docs/reference/serving.md and the metrics in docs/reference/metrics.md are those of the service."""

import json
import re

from ml_assets.cli.command_inputs import require_spec
from ml_assets.core.model_spec.types.task import REGRESSION, Outputs
from ml_assets.core.serving.request import RequestReader
from ml_assets.resources.lake.lake import Lake
from ml_assets.resources.registry.model_registry import ModelRegistry
from ml_assets.resources.storage.landing import Landing
from ml_assets.service.history import HistoryCache
from ml_assets.service.metrics import Metrics
from ml_assets.service.model_loader import ModelLoader
from ml_assets_tests.test_repository import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"
PAGE = (REFERENCE / "serving.md").read_text()
METRICS = (REFERENCE / "metrics.md").read_text().partition("## Scoring service")[2]


def test_the_requests_of_the_page_can_be_read():
    reader = RequestReader(require_spec("fraud_detection"))
    (command,) = re.findall(r"-d '(\{\"transaction_id\".*?\})'", PAGE, re.DOTALL)
    _response, with_earlier_rows = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    first, second = reader.read(command.encode()), reader.read(with_earlier_rows.encode())
    assert second.earlier == [first.row]


def test_every_metric_is_on_the_page_and_no_other(tmp_path):
    spec = require_spec("fraud_detection")
    lake, landing = Lake(uri=str(tmp_path)), Landing(uri=str(tmp_path))
    loader = ModelLoader(spec, lake, ModelRegistry(tracking_uri="sqlite:////none"))
    of_tasks = [
        Metrics(spec.columns, outputs, loader, HistoryCache(spec, lake, landing))
        for outputs in (spec.outputs, Outputs(REGRESSION))
    ]
    families = [family for metrics in of_tasks for family in metrics.registry.collect()]
    names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    assert set(re.findall(r"ml_assets_[a-z_]+", METRICS)) == names
    assert json.dumps(of_tasks[0].as_text().decode())

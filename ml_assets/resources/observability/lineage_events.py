"""OpenLineage events, built with the classes of its client and described by its published JSON schemas."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from ml_assets.core.operations.lineage import Dataset, StepEvent, StepRun, uri_of

if TYPE_CHECKING:
    from openlineage.client.event_v2 import InputDataset, OutputDataset, RunEvent

# The schemas take any URI.
PRODUCER = "urn:ml-assets:pipeline"
FORMAT = "parquet"
LANGUAGE = "PYTHON"


def run_id_of(run: StepRun) -> str:
    """Return the ID of an attempt of a step, a UUID; the same one for each of its events."""
    return str(uuid5(NAMESPACE_URL, f"{run.run_id}/{run.step}/{run.attempt}"))


def build_event(event: StepEvent, namespace: str) -> "RunEvent":
    """Build the event of OpenLineage.

    Args:
        event: the event of a step.
        namespace: namespace of the jobs.
    """
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.facet_v2 import job_type_job

    run, job_type = event.run, job_type_job.JobTypeJobFacet("BATCH", "DAGSTER", "ASSET", producer=PRODUCER)
    return RunEvent(
        eventType=RunState(event.state),
        eventTime=_time(event.at),
        run=Run(runId=run_id_of(run), facets=_run_facets(event, namespace)),
        job=Job(namespace=namespace, name=run.step, facets={"jobType": job_type}),
        inputs=[_input(dataset) for dataset in event.inputs],
        outputs=[_output(dataset) for dataset in event.outputs],
        producer=PRODUCER,
    )


def _run_facets(event: StepEvent, namespace: str) -> dict[str, Any]:
    from openlineage.client.facet_v2 import error_message_run, nominal_time_run, parent_run, processing_engine_run

    run = event.run
    parent = parent_run.ParentRunFacet(
        run=parent_run.Run(runId=run.run_id), job=parent_run.Job(namespace, run.job), producer=PRODUCER
    )
    facets: dict[str, Any] = {
        "parent": parent,
        "nominalTime": nominal_time_run.NominalTimeRunFacet(_time(run.first), _time(run.last), producer=PRODUCER),
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
            version=run.engine, name="Dagster", producer=PRODUCER
        ),
    }
    if event.error is not None:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(event.error, LANGUAGE, producer=PRODUCER)
    return facets


def _input(dataset: Dataset) -> "InputDataset":
    from openlineage.client.event_v2 import InputDataset

    return InputDataset(dataset.name.namespace, dataset.name.name, facets=_dataset_facets(dataset))


def _output(dataset: Dataset) -> "OutputDataset":
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    facets: dict[str, Any] = {}
    if dataset.rows is not None:
        figures = statistics.OutputStatisticsOutputDatasetFacet(dataset.rows, dataset.size, producer=PRODUCER)
        facets["outputStatistics"] = figures
    return OutputDataset(
        dataset.name.namespace, dataset.name.name, facets=_dataset_facets(dataset), outputFacets=facets
    )


def _dataset_facets(dataset: Dataset) -> dict[str, Any]:
    from openlineage.client.facet_v2 import (
        column_lineage_dataset,
        dataset_version_dataset,
        datasource_dataset,
        schema_dataset,
        storage_dataset,
    )

    source = datasource_dataset.DatasourceDatasetFacet(dataset.name.namespace, uri_of(dataset.uri), producer=PRODUCER)
    facets: dict[str, Any] = {"dataSource": source}
    if dataset.layer is not None:
        facets["storage"] = storage_dataset.StorageDatasetFacet(dataset.layer, FORMAT, producer=PRODUCER)
    if dataset.version is not None:
        version = dataset_version_dataset.DatasetVersionDatasetFacet(str(dataset.version), producer=PRODUCER)
        facets["version"] = version
    if dataset.columns:
        fields = [
            schema_dataset.SchemaDatasetFacetFields(name=name, type=kind, description=description or None)
            for name, kind, description in dataset.columns
        ]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields, producer=PRODUCER)
    if dataset.lineage:
        lineage = {
            column: column_lineage_dataset.Fields(
                [
                    column_lineage_dataset.InputField(source.namespace, source.name, source_column)
                    for source, source_column in sources
                ]
            )
            for column, sources in dataset.lineage.items()
        }
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(fields=lineage, producer=PRODUCER)
    return facets


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The definitions in place of a model whose file is broken: an asset without partitions, with a check that fails."""

import warnings

import dagster as dg

SPECIFICATION = "specification"
"""Name of the asset: `<model>/specification`."""
CAN_BE_LOADED = "can_be_loaded"
PROBLEM = "problem"
"""Key of the asset's metadata with file, line, field and reason."""


def broken_model(name: str, problem: str) -> dg.Definitions:
    """Build the definitions that show a broken model in the UI.

    Args:
        name: name of the model, or of its folder.
        problem: file, line, field and reason.
    """
    key = dg.AssetKey([name, SPECIFICATION])
    asset = dg.AssetSpec(
        key,
        description=f"The model {name} is not loaded; its assets, sensors and schedules are missing until its file is "
        f"corrected and the code location is reloaded.\n\n```\n{problem}\n```",
        group_name=name,
        kinds={"yaml"},
        metadata={PROBLEM: problem},
    )

    @dg.asset_check(
        asset=key,
        name=CAN_BE_LOADED,
        blocking=True,
        description=f"The file of {name} is a valid specification. This check fails until it is.",
    )
    def can_be_loaded() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, description=problem)

    return dg.Definitions(assets=[asset], asset_checks=[can_be_loaded])


def problems_of(repository: dg.RepositoryDefinition) -> dict[str, str]:
    """Return the problem of each broken model of a code location, by its name."""
    with warnings.catch_warnings():
        # Dagster warns of its own parameters while it builds the graph.
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        graph = repository.asset_graph
    problems = {}
    for key in graph.get_all_asset_keys():
        if key.path[-1] == SPECIFICATION and PROBLEM in (metadata := graph.get(key).metadata):
            problem = metadata[PROBLEM]
            problems[key.path[0]] = str(problem.value if isinstance(problem, dg.MetadataValue) else problem)
    return problems

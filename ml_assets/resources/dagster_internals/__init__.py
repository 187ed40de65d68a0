"""Everything that touches a private name of Dagster, one file for each feature. Each file states why it is needed and
which public API would replace it; `ml_assets_tests/resources/dagster_internals/test_contracts.py` fails by the name of
the feature when Dagster changes it. No other module imports a private name of Dagster.
"""

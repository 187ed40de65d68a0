"""Everything that touches a private or undocumented name of uvicorn, one file for each feature, with the reason and the
public API that would replace it. `ml_assets_tests/service/uvicorn_internals/test_contracts.py` fails by the name of the
feature when the dependency changes it.
"""

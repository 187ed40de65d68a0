"""Outcomes of the checks of one day: a family of checks in each module, all returning `CheckOutcome`.

Gates on models belong in `core/evaluation`.
"""

"""Releases of a model: the state, the ledger, the canary policy and its evidence, and the traffic split between
champion and challenger.
"""

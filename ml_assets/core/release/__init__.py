"""Releases of a model: the state, the ledger, the canary policy and its rules, and the traffic split between
champion and challenger.
"""

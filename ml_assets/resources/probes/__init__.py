"""Probes of the doctor: values measured at instances, storage and databases; nothing is changed.

The rules that evaluate the values are in `core/operations/doctor`.
"""

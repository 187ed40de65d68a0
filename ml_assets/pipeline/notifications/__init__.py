"""Sensors that read the event log and the release ledger, and record and send notifications."""

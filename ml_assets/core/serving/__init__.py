"""Scoring of rows: requests, online features of single rows, and daily batch predictions."""

"""Scoring outside of training: requests, online features of single rows, and daily batch predictions."""

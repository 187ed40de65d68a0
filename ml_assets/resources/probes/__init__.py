"""Probes of the doctor: what storage and databases answer when they are asked."""

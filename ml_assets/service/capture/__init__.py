"""Capture of served requests: a buffer in memory, a spool on the local disk, and segments in the lake."""

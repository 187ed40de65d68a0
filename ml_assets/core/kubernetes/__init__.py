"""Kubernetes objects and their states as plain dictionaries: pod specifications, failures of pods, memory sizes.

No client is called here.
"""

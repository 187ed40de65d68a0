"""Kubernetes objects and their states as plain dictionaries: pod specifications, pod failures and memory sizes.

No module here calls a client.
"""

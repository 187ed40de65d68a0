"""The release ledger in the lake, and the targets that follow it: registry aliases and the deploy target. The rules of
a release are in `core/release`.
"""

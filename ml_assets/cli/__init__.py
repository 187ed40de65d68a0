"""The command line `ml-assets`: one command group, a module for each verb, and what the verbs print.

Rules of the domain belong in `core`; what talks to outside systems belongs in `resources`.
"""

"""The command line `ml-assets`: one command group, a module for each verb, and their output.

Domain rules belong in `core`; access to outside systems belongs in `resources`.
"""

"""For the assets and checks that a project writes itself beside those of a model: reading days, and when to run.

Nothing of a model imports it.
"""

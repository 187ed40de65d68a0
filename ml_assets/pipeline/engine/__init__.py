"""The engine that materializes the days of any stage: fingerprints, atomic commits, and a guard against ended runs.

It knows no particular stage; a stage implements `engine.stage.Stage`.
"""

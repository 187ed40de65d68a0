"""The Delta Lake: one table for each model and asset, the files of models, and read-only and planned views of both.
Reading and writing plain objects is in `resources/storage`.
"""

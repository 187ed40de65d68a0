"""The daily report of a model (its data, its verdict, and its HTML page), and the dashboard over all days.

What a stage adds to the report of a day is in `report.py` beside the stage, in `pipeline/`.
"""

"""The plan of a backfill and the days of a repair: the days that would be computed, with reasons, determined without
computing them.
"""

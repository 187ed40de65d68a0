"""The plan of a backfill and the days of a repair: the days that would be made, with reasons, determined without making
them.
"""

"""The plan of a backfill and the days of a repair: which days would be made and why, found without making them."""

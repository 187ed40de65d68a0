"""What a backfill or a repair would make, and why, worked out without making it."""

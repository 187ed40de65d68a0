"""What a step records of itself beside its assets: the cost of its days. Nothing here may fail or hold up a step."""

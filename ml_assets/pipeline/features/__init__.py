"""Features as a stage: the days that they read, the store of late labels, checks and report."""

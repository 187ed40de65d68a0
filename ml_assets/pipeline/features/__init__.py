"""The stage of features: their input days, labels from files of their own, checks and report."""

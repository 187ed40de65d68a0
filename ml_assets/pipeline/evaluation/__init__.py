"""The stage of evaluation: holdout, champion, gates, checks, plots and report, and experiments."""

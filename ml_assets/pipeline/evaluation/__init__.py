"""The evaluation of a model as a stage: holdout, champion, gates, checks, plots and report."""

"""A trained model as files and as a scorer: preprocessing, scoring, explanations and its digest."""

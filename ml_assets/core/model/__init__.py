"""A trained model as files and as a scorer: preprocessing, scoring, explanations and the digest that names it."""

"""Tables, progress, summaries and verdicts that the verbs print to a terminal; `commands` computes their content."""

"""Tables, progress and summaries that the verbs print to a terminal; nothing here computes or reads the lake."""

"""Tables, progress and summaries that the verbs print to a terminal; commands compute what they show."""

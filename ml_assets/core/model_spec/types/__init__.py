"""Types of single fields of the specification, such as durations, and the base class of its parts."""

"""Types of single fields of the specification (durations, importable modules), and the base class of all parts."""

"""One module for each benchmark, with a function that measures it and returns its results."""

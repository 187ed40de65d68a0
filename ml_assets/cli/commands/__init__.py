"""One module for each verb of the command line: it calls the rest of the package and prints the result."""

"""One module for each verb of the command line: it reads the arguments, calls the rest of the package, and prints."""

"""Classification of failures from their exception chain, and the error signatures of the libraries in use."""

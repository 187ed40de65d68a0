"""All plots, as functions from numbers to PNG bytes."""

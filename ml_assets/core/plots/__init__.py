"""All plots, as functions from numbers to SVG bytes."""

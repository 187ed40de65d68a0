"""The arrivals sensor on a bucket with many objects."""

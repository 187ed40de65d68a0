"""Tables of measurements, to which any number of processes append. Tables of days are in `lake`."""

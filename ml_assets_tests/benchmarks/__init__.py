"""The parts of the benchmarks that measure nothing: ratios, tables, data, pages."""

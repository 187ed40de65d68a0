"""The page docs/benchmarks.md and its picture, written from the results of a run."""

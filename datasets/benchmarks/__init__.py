"""The published benchmarks and further real datasets."""

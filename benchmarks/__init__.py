"""Benchmarks: `make bench`; results with machine and versions in `results/`."""

"""How fast and how small: `python -m benchmarks [name ...]` prints one table."""

"""Side-by-side measurements: python -m benchmarks. Never run it while something else has the cores."""

"""Side-by-side measurements: python -m benchmarks. Never run it while something else has the cores."""

from cxrkit.helper_threads import calm_helpers

# Before torch is loaded: as pages and command line have it.
calm_helpers()

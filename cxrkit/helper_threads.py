"""How torch's helper threads wait. Set before torch is loaded, which reads it once."""

import os


def calm_helpers() -> None:
    """Let torch's helpers turn for some microseconds and then sleep, unless the environment says otherwise.

    They meet after every layer, and the first ones there would turn on their cores until the last one has come: where
    a file is decoded or the next image prepared meanwhile, that takes several times what is computed.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # of other libraries of helpers than GNU's

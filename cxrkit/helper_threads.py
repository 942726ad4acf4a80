"""How torch's helper threads wait. Set before torch is loaded, which reads it once."""

import os


def calm_helpers() -> None:
    """Let torch's helpers turn for some microseconds and then sleep, unless the environment says otherwise.

    They meet after every layer, and the first ones there would turn on their cores until the last one has come: where
    browsers, other sessions or a file that is decoded want the cores too, that takes ten times what is computed. Put to
    sleep at once they wake too late for the next layer, and two cores are no quicker than one.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # of other libraries of helpers than GNU's

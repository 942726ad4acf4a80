"""Hands for tests: what other scanners and films put around one."""

import numpy as np

from cxrkit.pixels import Gray


def around(values: Gray, margin: int, frame: int) -> tuple[Gray, int]:
    """The image within a bright frame, that within dark margins with a bright label in them.

    Args:
        values: [H, W] in [0, 1].
        margin, frame: widths in pixels.

    Returns:
        The image, and by how many pixels the first one lies to the right and down in it.
    """
    framed = np.pad(values, frame, constant_values=0.95)
    wide = np.pad(framed, margin, constant_values=0.02)
    wide[margin // 4 : margin // 2, margin : 3 * margin] = 1.0
    return wide.astype(np.float32), margin + frame

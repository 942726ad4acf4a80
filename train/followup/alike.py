"""The source's augmentation of a real pair: one transform is drawn and applied to both images (methods section 1)."""

from functools import cache

from cxrkit.pixels import Gray, equalise
from train import augment

_steps = cache(augment.alike)


def moved_alike(images: tuple[Gray, Gray], seed: int) -> tuple[Gray, Gray]:
    """Both images of a pair after the same transform, equalised again, as the task's prepare would give them.

    Shift 0.0625, scale 0.2, rotation 10 degrees; sharpening, motion or median blur; optical distortion; Gaussian noise;
    CLAHE. **Choices**: how often each is drawn, the strength of what the source only names, and mirrored edges, so that
    a black rim does not tell how far an image was moved. The images were smoothed as they were read, and are not
    smoothed a second time.

    Args:
        images: baseline and follow-up, each [S, S] in [0, 1], as the network reads them.
        seed: of all that is drawn.
    """
    baseline, follow_up = _steps()(*images, seed)
    return equalise(baseline), equalise(follow_up)

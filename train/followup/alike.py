"""The source's augmentation of a real pair: one transform is drawn and applied to both images (methods section 1)."""

from functools import cache

import albumentations as A
import cv2
import numpy as np

from cxrkit.pixels import Gray, eight_bits, gray_of
from train.augment import seed_steps
from train.followup.vary import finished


def moved_alike(images: tuple[Gray, Gray], seed: int) -> tuple[Gray, Gray]:
    """Both images of a pair after the same transform, as the task's prepare would give them.

    Shift 0.0625, scale 0.2, rotation 10 degrees; sharpening, motion or median blur; optical distortion; Gaussian noise;
    CLAHE. **Choices**: how often each is drawn, the strength of what the source only names, and mirrored edges, so that
    a black rim does not tell how far an image was moved.

    Args:
        images: baseline and follow-up, each [S, S] in [0, 1].
        seed: of all that is drawn.
    """
    steps = _steps()
    seed_steps(steps, seed)
    found = steps(image=eight_bits(images[0]), follow_up=eight_bits(images[1]))
    baseline, follow_up = (finished(gray_of(np.asarray(found[name]))) for name in ("image", "follow_up"))
    return baseline, follow_up


@cache
def _steps() -> A.Compose:
    return A.Compose(
        [
            A.Affine(
                translate_percent=(-0.0625, 0.0625),
                scale=(0.8, 1.2),
                rotate=(-10, 10),
                border_mode=cv2.BORDER_REFLECT_101,
                p=0.8,
            ),
            A.OneOf([A.Sharpen(), A.MotionBlur(blur_limit=(3, 5)), A.MedianBlur(blur_limit=(3, 5))], p=0.4),
            A.OpticalDistortion(distort_limit=(-0.05, 0.05), border_mode=cv2.BORDER_REFLECT_101, p=0.3),
            A.GaussNoise(std_range=(0.01, 0.04), p=0.3),
            A.CLAHE(clip_limit=(1, 3), p=0.3),
        ],
        additional_targets={"follow_up": "image"},
    )

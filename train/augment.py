"""Augmentations: float32 [S, S] in [0, 1] -> the same. The only module that knows the library that draws them."""

import random
from collections.abc import Callable

import albumentations as A
import cv2
import numpy as np
import torch
from PIL import Image
from timm.data.auto_augment import rand_augment_transform

from cxrkit.pixels import Gray, eight_bits, equalise, gray_of

Augment = Callable[[Gray], Gray]

Seeded = Callable[[Gray, int], Gray]
"""(image, seed of all that is drawn) -> image."""

_GRAY = 0.5
"""Fill: what `prepare` pads with, so that padding tells nothing."""

_POLICIES = [
    "AutoContrast",
    "Equalize",
    "Rotate",
    "PosterizeIncreasing",
    "SolarizeIncreasing",
    "SolarizeAdd",
    "ContrastIncreasing",
    "BrightnessIncreasing",
    "SharpnessIncreasing",
    "ShearX",
    "ShearY",
    "TranslateXRel",
    "TranslateYRel",
]


def published(*, erase: bool, augment: bool, flip: bool, invert: bool = False) -> Augment:
    """The source's augmentations (methods section 2).

    **Choice**: without inversion unless it is asked for, though the source's list has it. A negative is another image
    than `prepare` gives: there air is always dark, whatever way round the file was stored.

    Args:
        erase: random erasing, p 0.5, area 0.02-0.4, aspect 0.3-3.3.
        augment: RandAugment, two policies of random strength, rotation up to 30 degrees.
        flip: horizontal, p 0.5.
        invert: let RandAugment draw inversion as well.
    """
    policies = [*_POLICIES, "Invert"] if invert else _POLICIES
    # mstd101: strength uniform in 0 to m instead of always m; n2: two policies.
    policy = rand_augment_transform("rand-m10-n2-mstd101-inc1", {"img_mean": 128}, policies)
    rest = A.Compose(
        [
            *([A.HorizontalFlip(p=0.5)] if flip else []),
            *([A.Erasing(scale=(0.02, 0.4), ratio=(0.3, 3.3), fill="random", p=0.5)] if erase else []),
        ]
    )

    def apply(image: Gray) -> Gray:
        _seed(rest)
        if augment:
            drawn = policy(Image.fromarray(eight_bits(image)))
            image = gray_of(np.asarray(drawn))
        return np.asarray(rest(image=image)["image"], dtype=np.float32)

    return apply


def across_hospitals() -> Augment:
    """What differs between hospitals and not between healthy and ill: framing, processing, sharpness, noise, marks.

    After the look has been changed the image is equalised again, as `prepare` would do; the last step is what the
    page's brightness and contrast controls do.
    """
    look = A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Affine(
                scale={"x": (0.8, 1.25), "y": (0.8, 1.25)},
                translate_percent=(-0.08, 0.08),
                rotate=(-12, 12),
                shear=(-5, 5),
                fill=_GRAY,
                p=0.9,
            ),
            A.Illumination(intensity_range=(0.05, 0.2), p=0.4),
            A.CLAHE(clip_limit=(1, 3), p=0.25),
            A.OneOf(
                [
                    A.GaussianBlur(sigma_limit=(0.3, 1.3)),
                    A.UnsharpMask(blur_limit=(3, 5), alpha=(0.1, 0.6)),
                    A.Downscale(scale_range=(0.5, 0.9)),
                    A.MedianBlur(blur_limit=3),
                ],
                p=0.7,
            ),
            A.ImageCompression(quality_range=(30, 95), p=0.4),
            A.GaussNoise(std_range=(0.01, 0.06), p=0.5),
        ]
    )
    marks = A.Compose(
        [
            A.Erasing(scale=(0.02, 0.25), ratio=(0.3, 3.3), fill="random_uniform", p=0.4),
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.3, p=0.5),
        ]
    )

    def apply(image: Gray) -> Gray:
        _seed(look)
        _seed(marks)
        seen = gray_of(look(image=eight_bits(image))["image"])
        return np.asarray(marks(image=equalise(seen))["image"], dtype=np.float32)

    return apply


def contrastive(size: int) -> Seeded:
    """MoCo v2's augmentations, which are SimCLR's, as far as they make sense of a radiograph.

    Left out: flips, because a mirrored chest is another anatomy; colour, of which there is none. Changed (**choice**):
    crops keep 0.4 of the area instead of 0.2, because a smaller one may show nothing of what makes two images differ;
    turns of up to 10 degrees are added, as MoCo-CXR (Sowrirajan et al. 2021) has them. Noise is what differs between
    machines.

    Args:
        size: side of the view.
    """
    steps = A.Compose(
        [
            A.Rotate(limit=10, fill=_GRAY, p=0.8),
            A.RandomResizedCrop(size=(size, size), scale=(0.4, 1.0), ratio=(0.75, 4 / 3)),
            A.RandomBrightnessContrast(brightness_limit=0.4, contrast_limit=0.4, p=0.8),
            A.GaussianBlur(sigma_limit=(0.1, 2.0), p=0.5),
            A.GaussNoise(std_range=(0.01, 0.05), p=0.3),
        ]
    )

    return _seeded(steps)


def alike() -> Callable[[Gray, Gray, int], tuple[Gray, Gray]]:
    """One transform for both images of a pair; train.followup.alike says which and why.

    Returns:
        (image, other image, seed of all that is drawn) -> both.
    """
    steps = A.Compose(
        [
            A.Affine(
                translate_percent=(-0.0625, 0.0625),
                scale=(0.8, 1.2),
                rotate=(-10, 10),
                keep_ratio=True,
                border_mode=cv2.BORDER_REFLECT_101,
                p=0.8,
            ),
            A.OneOf([A.Sharpen(), A.MotionBlur(blur_limit=(3, 5)), A.MedianBlur(blur_limit=(3, 5))], p=0.4),
            A.OpticalDistortion(distort_limit=(-0.05, 0.05), border_mode=cv2.BORDER_REFLECT_101, p=0.3),
            A.GaussNoise(std_range=(0.01, 0.04), p=0.3),
            A.CLAHE(clip_limit=(1, 3), p=0.3),
        ],
        additional_targets={"other": "image"},
    )

    def apply(image: Gray, other: Gray, seed: int) -> tuple[Gray, Gray]:
        _seed(steps, seed)
        drawn = steps(image=eight_bits(image), other=eight_bits(other))
        return gray_of(np.asarray(drawn["image"])), gray_of(np.asarray(drawn["other"]))

    return apply


def with_mask() -> Callable[[Gray, Gray], tuple[Gray, Gray]]:
    """Framing, tone, sharpness, and opaque patches: lungs hidden by disease are still lungs.

    Returns:
        (image, mask in {0, 1}) -> both, moved together.
    """
    steps = A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Affine(
                scale=(0.7, 1.25),
                translate_percent=0.12,
                rotate=(-12, 12),
                shear=(-6, 6),
                keep_ratio=False,
                p=0.9,
            ),
            A.ElasticTransform(alpha=30, sigma=8, p=0.3),
            A.RandomGamma((50, 200), p=0.6),
            A.RandomBrightnessContrast(0.25, 0.4, p=0.6),
            _patches(4, 0.08, 0.35, 0.5),
            A.GaussianBlur((3, 7), p=0.3),
            A.GaussNoise((0.02, 0.08), p=0.3),
        ]
    )

    def apply(image: Gray, mask: Gray) -> tuple[Gray, Gray]:
        _seed(steps)
        drawn = steps(image=image, mask=mask)
        return drawn["image"], drawn["mask"]

    return apply


def framed_anyhow() -> Seeded:
    """Framing and mirror images as wide as an image guard has to let pass."""
    return _seeded(
        A.Compose(
            [
                A.HorizontalFlip(p=0.5),
                A.Affine(
                    scale={"x": (0.7, 1.35), "y": (0.7, 1.35)},
                    translate_percent=(-0.12, 0.12),
                    rotate=(-15, 15),
                    shear=(-6, 6),
                    p=0.85,
                ),
            ]
        )
    )


def processed_anyhow() -> Seeded:
    """Tone, sharpness, hidden parts, compression and noise as strong as an image guard has to let pass."""
    steps = A.Compose(
        [
            A.Illumination(intensity_range=(0.05, 0.2), p=0.3),
            A.RandomGamma(gamma_limit=(35, 260), p=0.4),
            A.RandomBrightnessContrast(brightness_limit=0.3, contrast_limit=0.5, p=0.5),
            A.CLAHE(clip_limit=(1, 4), p=0.2),
            A.OneOf(
                [
                    A.GaussianBlur(sigma_limit=(0.3, 2.2)),
                    A.Downscale(scale_range=(0.25, 0.7)),
                    A.Sharpen(alpha=(0.2, 0.7)),
                ],
                p=0.5,
            ),
            _patches(3, 0.05, 0.3, 0.25),
            A.ImageCompression(quality_range=(20, 90), p=0.25),
            A.GaussNoise(std_range=(0.01, 0.12), p=0.35),
        ]
    )

    def apply(image: Gray, seed: int) -> Gray:
        _seed(steps, seed)
        return gray_of(steps(image=eight_bits(image))["image"])

    return apply


def _patches(most: int, smallest: float, largest: float, chance: float) -> A.CoarseDropout:
    """Up to `most` opaque patches, each side a share of the image's."""
    sides = (smallest, largest)
    return A.CoarseDropout(
        num_holes_range=(1, most),
        hole_height_range=sides,
        hole_width_range=sides,
        fill="random_uniform",
        p=chance,
    )


def _seeded(steps: A.Compose) -> Seeded:
    def apply(image: Gray, seed: int) -> Gray:
        _seed(steps, seed)
        return np.asarray(steps(image=image)["image"], dtype=np.float32)

    return apply


def _seed(steps: A.Compose, seed: int | None = None) -> None:
    """Let all steps draw from one stream.

    Not by set_random_seed: it begins a stream of the same seed in each step, so that all of them draw alike.

    Args:
        steps: to be seeded.
        seed: None = from torch's generator, which a run seeds, and of which each worker has one of its own.
    """
    chosen = int(torch.randint(2**31, ())) if seed is None else seed
    steps.set_random_state(np.random.default_rng(chosen), random.Random(chosen))

"""A tiny drawn data set of tuberculosis: both family pairs, and settings with which its networks train in seconds."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cxrkit.weights import fixed_sample
from train.trainer import FitSettings
from train.tuberculosis.fit import FAMILY_PAIRS, Settings

HOW = FitSettings(precision="32-true", accelerator="cpu")
SETTINGS = Settings(
    encoder="resnet10t",
    channels=8,
    epochs=2,
    early_epochs=1,
    early_size=64,
    images_per_epoch=24,
    batch=8,
    simulated_pairs=2,
)
PER_PART = 3


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both family pairs, three training and three test images a family; tuberculosis has a bright patch."""
    root = tmp_path_factory.mktemp("drawn")
    chest = fixed_sample().values
    random = np.random.default_rng(0)
    lines = ["file,target,family,split"]
    for pair in FAMILY_PAIRS:
        for family, target in zip(pair, (1, 0), strict=True):
            for number in range(2 * PER_PART + 4):
                image = chest + random.normal(0, 3, chest.shape)
                if target:
                    image[120:200, 90:150] += 80
                name = f"{family}_{number}.png"
                cv2.imwrite(str(root / name), np.clip(image, 0, 255).astype(np.uint8))
                lines.append(f"{name},{target},{family},{'test' if number < PER_PART else 'train'}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root

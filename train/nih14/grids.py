"""What the generator makes of the same latents at several stages of its training: for the eye, and for the page."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from cxrkit.finding_training import STAGES
from cxrkit.models.gan import Generator, latents

_SHOWN = 8
_SIDE = 64


def keep_grid(generator: Generator, run: Path, iteration: int, seed: int) -> None:
    """Two rows of images as RUN/grids/ITERATION.png."""
    device = next(generator.parameters()).device
    generator.eval()
    with torch.no_grad():
        made = generator(latents(_SHOWN, seed).to(device))[:, 0].cpu().numpy()
    generator.train()
    images = np.uint8(np.clip((made + 1) * 127.5, 0, 255) + 0.5)
    rows = [np.concatenate(list(half), axis=1) for half in np.split(images, 2)]
    file = _grid(run, iteration)
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.concatenate(rows))


def keep_stages(run: Path, iterations: Sequence[int]) -> None:
    """The file of cxrkit.finding_training out of those grids that are there: 8 images of 64 px each, some 200 kB."""
    found = {number: cv2.imread(str(_grid(run, number)), cv2.IMREAD_GRAYSCALE) for number in iterations}
    grids = {number: grid for number, grid in found.items() if grid is not None}
    across = _SHOWN // 2
    small = [cv2.resize(grid, (across * _SIDE, 2 * _SIDE), interpolation=cv2.INTER_AREA) for grid in grids.values()]
    images = np.stack(small).reshape(-1, 2, _SIDE, across, _SIDE).swapaxes(2, 3).reshape(-1, _SHOWN, _SIDE, _SIDE)
    np.savez_compressed(run / STAGES, images=images, iterations=np.array(list(grids)))


def _grid(run: Path, iteration: int) -> Path:
    return run / "grids" / f"{iteration:06d}.png"

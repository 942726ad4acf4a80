"""What the image guard sees beside image files: simulated chests, frontal and lateral, and drawn pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cxrkit.phantoms import random_chest, simulate_chest
from cxrkit.pixels import Gray
from train.image_guard.data import Part, Thumbnails, stretched
from train.image_guard.drawings import LEARNED, UNSEEN, draw_pictures
from train.stored import save_array

SIDE = 192
"""Height of a simulated chest in pixels."""

FRONTAL, LATERAL = "simulated frontal", "simulated lateral"
DRAWN, UNSEEN_DRAWN = "drawn", "drawn by routines that were not learned"

_COUNTS: dict[Part, tuple[int, int, int]] = {"fit": (48, 64, 60), "carve": (20, 20, 15), "aside": (30, 40, 30)}
"""Frontal chests, lateral chests, pictures of each routine."""

_FIRST_SEED: dict[Part, int] = {"fit": 100_000, "carve": 200_000, "aside": 300_000}
"""Apart from one another and from the seeds of the sample cases and the tests."""


def made_thumbnails(part: Part, cache: Path) -> dict[str, Thumbnails]:
    """Thumbnails of simulated and drawn images of a part; a later call reads the cache.

    The pictures of routines that are not learned belong to the part set aside alone.
    """
    names = (FRONTAL, LATERAL, DRAWN, UNSEEN_DRAWN) if part == "aside" else (FRONTAL, LATERAL, DRAWN)
    return {name: _cached(name, part, cache) for name in names}


def made_images(name: str, part: Part) -> Iterator[Gray]:
    """Images [H, W] in [0, 1] of one of the names above."""
    frontal, lateral, each = _COUNTS[part]
    seed = _FIRST_SEED[part]
    if name in (DRAWN, UNSEEN_DRAWN):
        yield from draw_pictures(LEARNED if name == DRAWN else UNSEEN, each, seed)
        return
    for index in range(frontal if name == FRONTAL else lateral):
        settings = random_chest(seed + index, view="lateral" if name == LATERAL else None, size=SIDE)
        yield np.asarray(simulate_chest(settings).values, dtype=np.float32)


def count_made() -> dict[str, int]:
    """How many images there are of each name, over all parts."""
    frontal, lateral, each = (sum(counts) for counts in zip(*_COUNTS.values(), strict=True))
    return {
        FRONTAL: frontal,
        LATERAL: lateral,
        DRAWN: each * len(LEARNED),
        UNSEEN_DRAWN: _COUNTS["aside"][2] * len(UNSEEN),
    }


def _cached(name: str, part: Part, cache: Path) -> Thumbnails:
    file = cache / f"{name}-{part}.npy"
    if not file.is_file():
        save_array(file, np.stack([stretched(image) for image in tqdm(made_images(name, part), desc=name)]))
    return np.asarray(np.load(file))

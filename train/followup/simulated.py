"""Simulated patients at two times as files, so that they go the way of every radiograph."""

from pathlib import Path

import cv2

from cxrkit.cases import Case
from cxrkit.phantoms.pairs import PairSettings, random_pair, simulate_pair
from cxrkit.pixels import eight_bits
from train.followup.losses import UNKNOWN
from train.prepared import made_by_all_cores

FIRST_SEED = 500_000
"""Far from the samples and from what measurements draw."""

_HEIGHT = 512


def simulated_pairs(count: int, folder: Path) -> list[tuple[Case, Case, int, int]]:
    """Simulate patients that are not in the folder yet.

    Returns:
        Case of the baseline and of the follow-up image (target "1" = abnormal, "0" = normal; files are relative to the
        folder), change (1 or 0), direction (1 = more, 0 = less, -1 = none).
    """
    folder.mkdir(parents=True, exist_ok=True)

    def simulated(number: int) -> tuple[int, int]:
        settings = random_pair(FIRST_SEED + number, size=_HEIGHT)
        files = [folder / name for name in _names(FIRST_SEED + number)]
        if not all(file.is_file() for file in files):
            _write(settings, files)
        return _truth(settings)

    found = []
    for number, (change, direction) in enumerate(made_by_all_cores(simulated, count, "simulating")):
        seed = FIRST_SEED + number
        settings, names = random_pair(seed, size=_HEIGHT), _names(seed)
        first, second = (
            _case(name, seed, bool(lesions))
            for name, lesions in zip(names, (settings.baseline, settings.follow_up), strict=True)
        )
        found.append((first, second, change, direction))
    return found


def _names(seed: int) -> tuple[str, str]:
    return f"{seed}_baseline.png", f"{seed}_followup.png"


def _case(name: str, seed: int, abnormal: bool) -> Case:
    target = str(int(abnormal))
    return Case((name,), target, f"simulated {seed}", "simulated", {"file": name, "target": target})


def _truth(settings: PairSettings) -> tuple[int, int]:
    """Change and direction; of a random pair at most one finding changes."""
    ways = [way for way in settings.ways() if way is not None]
    return (1, int(ways[0] == "more")) if ways else (0, UNKNOWN)


def _write(settings: PairSettings, files: list[Path]) -> None:
    for image, file in zip(simulate_pair(settings).radiographs(), files, strict=True):
        data = cv2.imencode(".png", eight_bits(image.windowed()))[1]
        fresh = file.with_suffix(".new")
        fresh.write_bytes(data.tobytes())
        fresh.replace(file)

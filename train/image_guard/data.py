"""Images that the image guard learns from and is measured on: which they are, their part, their thumbnails."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cxrkit.image import read_image
from cxrkit.pixels import Gray
from cxrkit.quality import THUMBNAIL, thumbnail
from train.stored import save_array

Part = Literal["fit", "carve", "aside"]
Thumbnails = NDArray[np.uint8]
"""[N, 96, 96], each from its own darkest to its own brightest pixel in 256 steps."""

CARVED = 0.12
ASIDE = 0.35
"""Shares, where the data set brings no split of its own; by patient where patients are known."""

SMALL_HANDS = 0.3
"""Share of the 100-pixel hands that is read: more of the same tell little."""

# The body-part set calls frontal and lateral chests "Chest" alike. These four are lateral, by eye.
_LATERAL = ("images/0006.jpg", "images/0011.jpg", "images/0026.jpg", "images/0032.jpg")

ONE_FLAT, OTHERWISE, SEVERAL = "one posteroanterior hand", "a lateral hand or one in a cast", "several hands or views"
# It calls all of these "Hand", and an abdomen too; told apart by eye.
_HANDS = {
    ONE_FLAT: ("images/0182.jpg", "images/0392.jpg", "images/0395.jpg"),
    OTHERWISE: ("images/0034.jpg", "images/0283.jpg", "images/0338.jpg", "images/0372.jpg"),
    SEVERAL: ("images/0150.jpg", "images/0347.jpg", "images/0382.jpg", "images/0406.jpg"),
}


@dataclass(frozen=True)
class Entry:
    """One image file.

    Attributes:
        file: where it is.
        source: data set, and what its table tells apart within it.
        kind: as the network calls it.
        part: fit trains; carve chooses the operating points; aside reports once.
    """

    file: Path
    source: str
    kind: str
    part: Part


@dataclass(frozen=True)
class Pool:
    """Thumbnails with what they are; all three have one length."""

    thumbnails: Thumbnails
    kinds: tuple[str, ...]
    sources: tuple[str, ...]


def read_entries(root: Path) -> list[Entry]:
    """All images of the folders tb, nih, hannover, lungs, boneage and body_parts below root.

    Raises:
        FileNotFoundError: a folder's labels.csv is missing.
    """
    return [*_chests(root), *_hands(root / "boneage"), *_body_parts(root / "body_parts")]


def _chests(root: Path) -> Iterator[Entry]:
    for row in _table(root / "tb"):
        part: Part = "aside" if row["split"] == "test" else _drawn(row["file"], 0.0)
        yield Entry(root / "tb" / row["file"], f"tb, {row['family']}", "frontal chest", part)
    for row in _table(root / "nih"):
        part = "aside" if row["split"] == "val" else _drawn(f"nih {row['patient_id']}", 0.0)
        yield Entry(root / "nih" / row["file"], "nih", "frontal chest", part)
    for name, unit in (("hannover", "patient_id"), ("lungs", "file")):
        for row in _table(root / name):
            part = _drawn(f"{name} {row[unit]}", ASIDE)
            yield Entry(root / name / row["file"], name, "frontal chest", part)


def _hands(folder: Path) -> Iterator[Entry]:
    for row in _table(folder):
        part: Part = "aside" if row["split"] == "val" else _drawn(f"hand {row['id']}", 0.0)
        if row["file_512"]:
            yield Entry(folder / row["file_512"], "boneage, 512 pixels", "hand", part)
        if _place(f"small hand {row['id']}") < SMALL_HANDS:
            yield Entry(folder / row["file_100"], "boneage, 100 pixels", "hand", part)


def _body_parts(folder: Path) -> Iterator[Entry]:
    """Chests and hands of this set only report: they come from a hospital that the other folders do not hold."""
    for row in _table(folder):
        name = row["body_part"]
        if name == "Chest":
            kind = "lateral chest" if row["file"] in _LATERAL else "frontal chest"
            yield Entry(folder / row["file"], "body parts, Chest", kind, "aside")
        elif name == "Hand":
            shown = next((shown for shown, files in _HANDS.items() if row["file"] in files), None)
            kind = "hand" if shown else "other radiograph"
            yield Entry(folder / row["file"], f"body parts, {shown or 'Hand'}", kind, "aside")
        else:
            yield Entry(folder / row["file"], f"body parts, {name}", "other radiograph", _drawn(row["file"], ASIDE))


def _table(folder: Path) -> list[dict[str, str]]:
    table = pd.read_csv(folder / "labels.csv", dtype=str, keep_default_na=False)
    return [{str(key): str(value) for key, value in row.items()} for row in table.to_dict("records")]


def _place(name: str) -> float:
    """A number in [0, 1) that belongs to a name, the same in every run."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32


def _drawn(name: str, aside: float) -> Part:
    place = _place(f"guard {name}")
    return "aside" if place < aside else "carve" if place < aside + CARVED else "fit"


def fold(entry: Entry, folds: int) -> int:
    """Which of so many groups an image belongs to; for networks that each leave one group out."""
    return int(_place(f"fold {entry.file.name}") * folds)


def stretched(image: Gray) -> NDArray[np.uint8]:
    """Thumbnail [96, 96] of an image, stretched to 256 levels; equalising makes the stretch harmless."""
    small = thumbnail(image)
    low, high = float(small.min()), float(small.max())
    return np.asarray((small - low) * (255 / max(high - low, 1e-6)) + 0.5, dtype=np.uint8)


def read_thumbnails(entries: Sequence[Entry], cache: Path) -> Thumbnails:
    """Thumbnails of all entries in their order; a later call reads each source's cache."""
    found = np.zeros((len(entries), THUMBNAIL, THUMBNAIL), dtype=np.uint8)
    for source in sorted({entry.source for entry in entries}):
        places = [index for index, entry in enumerate(entries) if entry.source == source]
        found[places] = _read_source([entries[index].file for index in places], source, cache)
    return found


def _read_source(files: Sequence[Path], source: str, cache: Path) -> Thumbnails:
    key = hashlib.sha256(repr([str(file) for file in files]).encode()).hexdigest()[:16]
    file = cache / f"{source}-{key}.npy"
    if not file.is_file():
        images = (read_image(each.read_bytes()) for each in tqdm(files, desc=source, unit="image"))
        save_array(file, np.stack([stretched(image.windowed()) for image in images]))
    return np.asarray(np.load(file))

"""What the image guard says of images set aside, through the same function that the page and the command line call."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from sklearn.datasets import load_sample_images
from tqdm import tqdm

from cxrkit.decoded import SEVERAL_COLOURS, to_gray
from cxrkit.image import Radiograph, read_image
from cxrkit.pixels import Gray
from cxrkit.quality import PASSES, Verdict, check_image
from cxrkit.task import Reads
from train.image_guard.data import Entry
from train.image_guard.pictures import DRAWN, FRONTAL, LATERAL, UNSEEN_DRAWN, made_images

Verdicts = dict[Reads, Verdict]
Judged = dict[str, list[Verdicts]]
"""Group of images -> for each image, the verdict for each kind of task."""

CHESTS, HANDS, PARTS, LATERALS = (
    "real frontal chests",
    "real hands",
    "other body parts",
    "real lateral chests of the body-part set",
)
OTHER_HANDS = "hands of the body-part set"
TURNED_CHESTS, SWAPPED_CHESTS = "real frontal chests, turned by 90 or 180 degrees", "real frontal chests, inverted"
PHOTOS, COLOUR_PHOTOS = "two photographs, whole and in quarters, in gray", "two photographs in colour"
EVERY = 8
"""Every eighth real frontal chest is also turned and inverted."""


def judge(entries: Sequence[Entry]) -> Judged:
    """Verdicts on everything that is set aside, and on what is made of it."""
    aside = [entry for entry in entries if entry.part == "aside"]
    judged: Judged = {}
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(_judge_file, aside, range(len(aside)))
        for groups in tqdm(found, total=len(aside), desc="measuring", unit="image"):
            for name, verdicts in groups:
                judged.setdefault(name, []).append(verdicts)
    for name in (FRONTAL, LATERAL, DRAWN, UNSEEN_DRAWN):
        judged[name] = [_verdicts(as_radiograph(image)) for image in made_images(name, "aside")]
    judged[PHOTOS] = [_verdicts(as_radiograph(photo)) for photo in _gray_photos()]
    judged[COLOUR_PHOTOS] = [_verdicts(photo) for photo in _colour_photos()]
    return judged


def _judge_file(entry: Entry, index: int) -> list[tuple[str, Verdicts]]:
    image = read_image(entry.file.read_bytes())
    group = _group(entry)
    found = [(group, _verdicts(image))]
    if entry.kind == "frontal chest":
        found.append((f"{group}, {entry.source}", found[0][1]))
        if index % EVERY == 0:
            turns = 1 + index // EVERY % 3
            found.append((TURNED_CHESTS, _verdicts(_with(image, np.rot90(image.values, turns)))))
            found.append((SWAPPED_CHESTS, _verdicts(_with(image, 255 - image.values))))
    return found


def _group(entry: Entry) -> str:
    if entry.kind == "hand":
        name, shown = entry.source.split(", ")
        return f"{OTHER_HANDS}, {shown}, told by eye" if name == "body parts" else HANDS
    return {"frontal chest": CHESTS, "lateral chest": LATERALS}.get(entry.kind, PARTS)


def _verdicts(image: Radiograph) -> Verdicts:
    return {reads: check_image(image, reads) for reads in PASSES}


def _with(image: Radiograph, values: Gray) -> Radiograph:
    return replace(image, values=np.ascontiguousarray(values))


def as_radiograph(gray: Gray, header: dict[str, str] | None = None) -> Radiograph:
    """An image [H, W] in [0, 1] as an 8-bit file of it would be read."""
    values = np.floor(np.clip(gray, 0, 1) * 255 + 0.5).astype(np.float32)
    return Radiograph(values, (0.0, 255.0), None, "", None, header or {}, ())


def _photos() -> Iterator[np.ndarray]:
    """[H, W, 3]: the two photographs that come with scikit-learn (CC BY 2.0)."""
    yield from load_sample_images().images


def _gray_photos() -> Iterator[Gray]:
    for photo in _photos():
        levels = np.asarray(to_gray(photo)[0], dtype=np.float32)
        gray = np.asarray(levels / 255, dtype=np.float32)
        middle = (gray.shape[0] // 2, gray.shape[1] // 2)
        yield gray
        for rows in (gray[: middle[0]], gray[middle[0] :]):
            yield from (rows[:, : middle[1]], rows[:, middle[1] :])


def _colour_photos() -> Iterable[Radiograph]:
    for photo in _photos():
        levels, colours = to_gray(photo)
        assert colours == SEVERAL_COLOURS
        yield as_radiograph(np.asarray(levels, dtype=np.float32) / np.float32(255), {"Colours": colours})

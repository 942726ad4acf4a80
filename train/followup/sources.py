"""Single frontal radiographs of which pairs are made: a wide view round the lungs, decoded once, and the lung map.

**Choice**: views are SIDE pixels wide, over the lungs' box and 22 % of it on each side, because all of them are kept at
hand and a pair is to take milliseconds. Uploaded radiographs are cropped at their own size instead. The crop is
three quarters of the view, 240 px, so that a network of a larger input learns from enlarged crops, which are softer
than what it is then asked about. `as_read`, which smooths both, hides only part of that.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrkit.card import WEIGHTS, read_card
from cxrkit.cases import Case, class_index, read_manifest, resolve
from cxrkit.image import read_image
from cxrkit.lungs import NAME as LUNG_FIELD
from cxrkit.lungs import LungField, find_lungs
from cxrkit.pixels import Box, Gray, eight_bits, resize, square_around
from cxrkit.tasks.chest import automatic_box
from cxrkit.tasks.tuberculosis import LABELS as TUBERCULOSIS_LABELS
from train.followup.space import Frame
from train.prepared import Views, made_by_all_cores
from train.stored import save_array

SIDE = 320
_WIDE = 0.22
"""Round the lungs' box on each side: what jittered crops, turned images and failed crops can see."""

_VERSION = 1
"""Of what is cached."""

_COLUMNS = ("views", "lungs", "frames", "patients", "sets", "abnormal", "order", "files")


@dataclass(frozen=True, eq=False)
class Sources:
    """N radiographs in which two lungs were found.

    Attributes:
        views: [N, W, W] in 1/255: a wide square round the lungs, within the image where it is large enough and else
            mirrored at its edge; not equalised. Read from disk as needed.
        lungs: [N, W, W], probability of lung in 1/255 in the same frame.
        frames: [N, 4] (left, top, right, bottom) of the task's automatic crop, in pixels of the view.
        patients: [N], unique over all sets; an image of an unknown patient counts as a patient.
        sets: [N], the family, or the name of the set.
        abnormal: [N]: 1, 0, or -1 = not known.
        order: [N], place in time within the patient (number of the follow-up, or days); -1 = not known.
        files: [N], relative to their set's root.
        left_out: radiographs in which two lungs were not found.
    """

    views: Views
    lungs: Views
    frames: NDArray[np.float32]
    patients: NDArray[np.str_]
    sets: NDArray[np.str_]
    abnormal: NDArray[np.int8]
    order: NDArray[np.int32]
    files: NDArray[np.str_]
    left_out: int

    def __len__(self) -> int:
        return len(self.views)

    def frame(self, index: int) -> Frame:
        left, top, right, bottom = (float(edge) for edge in self.frames[index])
        return left, top, right, bottom


def source_cases(root: Path) -> list[Case]:
    """All radiographs of a folder with a labels.csv (file, and where given target, findings, patient_id, split ...).

    Raises:
        ManifestError: as `cxrkit.cases.read_manifest`.
    """
    return read_manifest(root / "labels.csv", target_column=None)


def read_sources(cases: Sequence[Case], root: Path, cache: Path, name: str | None = None, side: int = SIDE) -> Sources:
    """Read every case's one image; a later call with the same cases reads the cache.

    Args:
        cases: of `source_cases`, or those of them that are wanted.
        root: folder that their files are relative to.
        cache: folder for the decoded arrays.
        name: of the set, for `sets` and `patients`; None = the root's own.
        side: W.
    """
    name = name or root.name
    key = hashlib.sha256(repr(([case.files for case in cases], side, _WIDE, _VERSION)).encode())
    # The crop and the maps depend on the lung field's weights.
    key.update(read_card(WEIGHTS / LUNG_FIELD / "card.json").sha256.encode())
    stem = cache / f"sources-{name}-{key.hexdigest()[:16]}"
    files = [stem.with_name(f"{stem.name}-{part}.npy") for part in ("views", "lungs", "frames", "kept")]
    if not all(file.is_file() for file in files):
        read: tuple[NDArray[Any], ...] = _read(cases, root, side)
        for file, array in zip(files, read, strict=True):
            save_array(file, array)
    views, lungs = (np.load(file, mmap_mode="r") for file in files[:2])
    kept = [cases[index] for index in np.load(files[3])]
    return Sources(
        views=views,
        lungs=lungs,
        frames=np.load(files[2]),
        patients=np.array([f"{name}:{case.patient or case.files[0]}" for case in kept], dtype=np.str_),
        sets=np.array([case.family or name for case in kept], dtype=np.str_),
        abnormal=np.array([_abnormal(case) for case in kept], dtype=np.int8),
        order=np.array([_order(case) for case in kept], dtype=np.int32),
        files=np.array([case.files[0] for case in kept], dtype=np.str_),
        left_out=len(cases) - len(kept),
    )


def join(parts: Sequence[Sources]) -> Sources:
    """Several sets as one, in memory."""
    joined = {field: np.concatenate([getattr(part, field) for part in parts]) for field in _COLUMNS}
    return Sources(**joined, left_out=sum(part.left_out for part in parts))


def choose(sources: Sources, which: NDArray[np.bool_] | NDArray[np.int64]) -> Sources:
    """Some of the radiographs, in memory."""
    return replace(sources, **{field: getattr(sources, field)[which] for field in _COLUMNS})


def _read(cases: Sequence[Case], root: Path, side: int) -> tuple[Views, Views, NDArray[np.float32], NDArray[np.int64]]:
    def wide(index: int) -> tuple[Views, Views, Frame] | None:
        gray = read_image(resolve(cases[index], root)[0].read_bytes()).windowed()
        field = find_lungs(gray)
        return None if field.box is None else wide_view(gray, field, side)

    read = enumerate(made_by_all_cores(wide, len(cases), "reading"))
    found = [(index, *made) for index, made in read if made is not None]
    kept, views, maps, frames = zip(*found, strict=True) if found else ((), (), (), ())
    shape = (len(kept), side, side)
    return (
        np.array(views, dtype=np.uint8).reshape(shape),
        np.array(maps, dtype=np.uint8).reshape(shape),
        np.array(frames, dtype=np.float32).reshape(-1, 4),
        np.array(kept, dtype=np.int64),
    )


def wide_view(gray: Gray, field: LungField, side: int = SIDE) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Frame]:
    """A view [W, W] round the lungs, its lung map in 1/255, and the automatic crop in its pixels.

    Args:
        gray: the radiograph [H, W] in [0, 1].
        field: its lungs, two of which were found.
        side: W.
    """
    assert field.box is not None
    shape = (gray.shape[0], gray.shape[1])
    inner = automatic_box(field.box, shape)
    left, top, right, bottom = _wide_box(field.box, inner, shape)
    # Mirrored at the edge only where the image is narrower than the crop.
    over = (max(-top, 0), max(bottom - shape[0], 0), max(-left, 0), max(right - shape[1], 0))
    probability = resize(field.probability, shape[1], shape[0])
    cut = [
        cv2.copyMakeBorder(array, *over, kind)[top + over[0] : bottom + over[0], left + over[2] : right + over[2]]
        for array, kind in ((gray, cv2.BORDER_REFLECT_101), (probability, cv2.BORDER_CONSTANT))
    ]
    view, lungs = (eight_bits(resize(np.asarray(array, dtype=np.float32), side, side)) for array in cut)
    scale = side / (right - left)
    frame = tuple((edge - start) * scale for edge, start in zip(inner, (left, top, left, top), strict=True))
    return view, lungs, (frame[0], frame[1], frame[2], frame[3])


def _wide_box(lungs: Box, inner: Box, shape: tuple[int, int]) -> Box:
    """A square that holds the automatic crop, inside the image where that is large enough."""
    left, top, right, bottom = square_around(lungs, shape, _WIDE)
    longest = max(inner[2] - inner[0], inner[3] - inner[1])
    across = max(min(right - left, bottom - top), longest)
    starts = []
    for low, high, length in ((inner[0], inner[2], shape[1]), (inner[1], inner[3], shape[0])):
        start = round((low + high - across) / 2)
        starts.append(start if across > length else min(max(start, 0), length - across))
    return starts[0], starts[1], starts[0] + across, starts[1] + across


def _abnormal(case: Case) -> int:
    """1, 0, or -1 = not known, from whichever column the table has."""
    if "findings" in case.row:
        return int(case.row["findings"].strip() != "No Finding")
    if "target" in case.row:
        return class_index(replace(case, target=case.row["target"].strip()), TUBERCULOSIS_LABELS)
    return -1


def _order(case: Case) -> int:
    for column in ("follow_up", "offset_days"):
        if case.row.get(column, "").strip():
            return int(case.row[column])
    return -1

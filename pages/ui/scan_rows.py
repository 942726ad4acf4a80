"""Reading a day's lung scans: files are opened in other threads while the network computes; each is read once."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

import streamlit as st

from cxrkit.errors import FrameRequired, ImageError
from cxrkit.image import Radiograph
from cxrkit.scan_day import Scan, Verdict, pixel_digest
from cxrkit.scan_facts import choose_frame, problem_of, read_facts, read_scan
from cxrkit.scan_reading import ScanReading
from cxrkit.task import ModelInput, Prepared, Task
from pages.ui.compute import begun
from pages.ui.models import load_libraries
from pages.ui.scan_files import ScanFile

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from cxrkit.predict import Prediction
    from cxrkit.weights import LoadedModel

READERS = 2
"""Threads that open files: the decoders' processes are as many."""

RUNS = 2
"""Runs of the network at once: they share the cores, and cores that need not wait for one another do more."""

TOGETHER, AHEAD = 4, 12
"""Scans in one run of the network, and files that are opened or wait for it: few, as a file may be a large image."""

State = Literal["read", "frame wanted", "stopped", "unreadable"]


@dataclass(frozen=True, eq=False)
class Found:
    """What became of a file; without its pixels.

    Attributes:
        state: whether it was read, waits for a frame to be chosen, was stopped by the image guard, or is unreadable.
        reason: what the guard says, or why it cannot be read; "" for nothing.
        frames: how many the file holds, where one has to be chosen.
        digest: of its pixels; "" where there are none.
        study: key of the study; None = not known.
        prediction: of those that were read.
    """

    state: State
    reason: str = ""
    frames: int | None = None
    digest: str = ""
    study: str | None = None
    prediction: "Prediction | None" = None


@dataclass(frozen=True, eq=False)
class Asked:
    """A file, and how it is to be read.

    Attributes:
        file: as given.
        frame: that the user chose, from 1; None = the anterior view.
        insisted: whether it is read whatever the image guard says.
    """

    file: ScanFile
    frame: int | None
    insisted: bool

    @property
    def image_key(self) -> str:
        """Stands for the image."""
        return f"{self.file.upload.sha256}.{self.frame}"

    def image(self) -> Radiograph:
        """Read the file.

        Raises:
            FrameRequired: which frame is to be read cannot be told.
            ImageError: it cannot be read.
        """
        upload = self.file.upload
        return read_scan(upload.data, upload.name, self.frame)


@dataclass(frozen=True, eq=False)
class Row:
    """A file of the day and what became of it."""

    asked: Asked
    found: Found

    @property
    def number(self) -> int:
        """On the page, from 1."""
        return self.asked.file.number

    @property
    def name(self) -> str:
        """Of the file, for the screen alone."""
        return self.asked.file.upload.name

    @property
    def reading(self) -> ScanReading | None:
        """What is said of the scan; None where it was not read."""
        return None if self.found.prediction is None else self.found.prediction.scan

    @property
    def verdict(self) -> Verdict | Literal["not analysed", "not readable"]:
        """Header against image, or that nothing was read."""
        if self.reading is not None:
            return self.reading.verdict
        others: dict[State, Verdict | Literal["not analysed", "not readable"]] = {
            "stopped": "not analysed",
            "unreadable": "not readable",
        }
        return others.get(self.found.state, "cannot tell")

    @property
    def scan(self) -> Scan | None:
        """For what is said of studies and copies; its name is the number. None where it was not read."""
        if self.reading is None:
            return None
        return Scan(
            str(self.number),
            self.found.digest,
            self.found.study,
            self.reading.kind,
            self.reading.claim,
            self.reading.other_view,
        )


def read_day(loaded: "LoadedModel", asked: Sequence[Asked]) -> list[Row]:
    """Read all files, or look up those that were read; progress is shown. A bad file costs its row alone.

    Args:
        loaded: the network.
        asked: in order.

    Raises:
        WeightsError: what the guard or the preparation needs is missing.
    """
    known = _known(loaded.card.sha256)
    missing = [each for each in asked if _key(each) not in known]
    place = st.empty()  # always there: what is below is built anew where its place changes
    if missing:
        _read(loaded, missing, known, place)
    rows = [Row(each, known[_key(each)]) for each in asked]
    for row in rows:
        if row.found.frames is not None:
            st.session_state[_frames_key(row.asked)] = row.found.frames
    return rows


def frames_of(asked: Asked) -> int | None:
    """How many frames a file holds of which one had or has to be chosen; None where the page chooses.

    It is kept for the session: what was found is forgotten after an hour, and the choice can still be another.
    """
    frames: int | None = st.session_state.get(_frames_key(asked))
    return frames


def _frames_key(asked: Asked) -> str:
    return f"_scan_frames.{asked.file.upload.sha256}"


def _key(asked: Asked) -> str:
    return f"{asked.image_key}.{asked.insisted}"


@st.cache_resource(scope="session", max_entries=2, ttl=3600, show_spinner=False)
def _known(weights_sha256: str) -> dict[str, Found]:
    """What was found with these weights, by file, frame and whether the user insisted; it grows."""
    return {}


def _read(loaded: "LoadedModel", missing: Sequence[Asked], known: dict[str, Found], place: "DeltaGenerator") -> None:
    load_libraries()
    total = len(missing)
    place.progress(0.0, f"Reading scan 1 of {total} …")
    for done, (asked, found) in enumerate(read_files(loaded, missing), start=1):
        known[_key(asked)] = found
        place.progress(done / total, f"{done} of {total} scans are read …")
    place.empty()


@dataclass(frozen=True, eq=False)
class _Ready:
    """A scan that the network may read."""

    image: Radiograph
    prepared: Prepared
    remark: str


def read_files(loaded: "LoadedModel", missing: Sequence[Asked]) -> Iterator[tuple[Asked, Found]]:
    """Each file with what was found, in order; nothing is drawn. The next ones are opened while the network computes.

    Raises:
        WeightsError: what the guard or the preparation needs is missing.
    """
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="scans", initializer=_alone)
    try:
        rest = iter(missing)
        opening: deque[tuple[Asked, Future[_Ready | Found]]] = deque()
        running: deque[_Batch] = deque()
        while True:
            for each in islice(rest, AHEAD - len(opening)):
                opening.append((each, readers.submit(_open, loaded.task, each)))
            if opening and len(running) < RUNS:
                batch = [opening.popleft() for _ in range(min(TOGETHER, len(opening)))]
                running.append(_begin(loaded, [(asked, future.result()) for asked, future in batch]))
            elif running:
                yield from _answers(running.popleft())
            else:
                return
    finally:
        # The user may have gone on: what was not begun is left.
        readers.shutdown(wait=False, cancel_futures=True)


def _alone() -> None:
    """The image guard's small network runs on one core here; the others are the task's network's."""
    import torch

    torch.set_num_threads(1)  # of this thread


def _open(task: Task, asked: Asked) -> _Ready | Found:
    """Decode, guard and prepare one file."""
    from cxrkit.quality import check_image

    try:
        image = asked.image()
    except FrameRequired as error:
        return Found("frame wanted", str(error), error.frames)
    except ImageError as error:
        frames = None if asked.frame else _frames_to_choose(asked.file.upload.data)
        return Found("frame wanted" if frames else "unreadable", str(error), frames)
    verdict = check_image(image, task.reads)
    reasons = " ".join(verdict.reasons)
    if not verdict.ok and not asked.insisted:
        return Found("stopped", reasons)
    return _Ready(image, task.prepare([image], {}, ModelInput()), reasons)


def _frames_to_choose(data: bytes) -> int | None:
    """Frames of a lung scan's file of which the anterior one cannot be told; None of other files."""
    try:
        facts = read_facts(data)
    except ImageError:
        return None
    if facts is None or choose_frame(facts) is not None or problem_of(facts):
        return None
    return facts.frames


@dataclass(frozen=True, eq=False)
class _Batch:
    """Files that were opened; those that may be read go through the network together."""

    opened: Sequence[tuple[Asked, _Ready | Found]]
    predictions: "Future[tuple[Prediction, ...]] | None"


def _begin(loaded: "LoadedModel", opened: Sequence[tuple[Asked, _Ready | Found]]) -> _Batch:
    from cxrkit.predict_several import predict_several

    ready = [each for _, each in opened if isinstance(each, _Ready)]
    if not ready:
        return _Batch(opened, None)
    prepared, images = [each.prepared for each in ready], [each.image for each in ready]
    return _Batch(opened, begun(predict_several, loaded, prepared, images))


def _answers(batch: _Batch) -> Iterator[tuple[Asked, Found]]:
    """What was found of the files of a batch, once the network is done."""
    predictions = iter(() if batch.predictions is None else batch.predictions.result())
    for asked, each in batch.opened:
        yield asked, each if isinstance(each, Found) else _read_scan(each, next(predictions))


def _read_scan(ready: _Ready, prediction: "Prediction") -> Found:
    study = None if ready.image.scan is None else ready.image.scan.study
    return Found("read", ready.remark, digest=pixel_digest(ready.image), study=study, prediction=prediction)

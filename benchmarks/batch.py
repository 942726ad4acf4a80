"""Many images from files to rows, by one process and by two, beside the network's forward alone."""

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.images import Levels
from benchmarks.timing import interleaved, measured
from cxrkit.batch import Batch, predict_table, staffed
from cxrkit.batch_case import Asked, guard
from cxrkit.batch_workers import Answers, Executor, Job
from cxrkit.cases import Case
from cxrkit.image_file import load_image
from cxrkit.predict import encode, predict
from cxrkit.speed import Measurement
from cxrkit.task import ModelInput, Prepared, Task
from cxrkit.weights import LoadedModel, load_model

LEAST = 0.85
"""Share of the forward's own rate at which a batch should go, at least."""

WORKERS = (1, 2)

_SOME = 8
"""Cases of which each step is measured by itself: more than a step remembers of another one (hand_field)."""


@dataclass
class Watched:
    """Executor: another one, with a note of when each answer came.

    Attributes:
        executor: that answers.
        times: in seconds of `time.perf_counter`.
    """

    executor: Executor
    times: list[float] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """As Executor."""
        return self.executor.identity

    def __call__(self, jobs: Iterable[Job]) -> Answers:
        """As Executor."""
        with closing(self.executor(jobs)) as answers:
            for answer in answers:
                self.times.append(time.perf_counter())
                yield answer

    def rate(self, warm: int) -> float:
        """Answers a second from the one number `warm` to the last: without start and end of the processes."""
        return (len(self.times) - warm) / (self.times[-1] - self.times[warm - 1])


def archive(pictures: Sequence[Levels], folder: Path) -> list[Path]:
    """Write pictures as archives have them: PNG of 8 bits, about 1000 pixels high."""
    folder.mkdir()
    paths = [folder / f"{number}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray((picture[::2, ::2] >> 4).astype(np.uint8)).save(path)
    return paths


def scan_archive(files: Sequence[bytes], folder: Path) -> list[Path]:
    """Write lung scans as they come."""
    folder.mkdir()
    paths = [folder / f"{number}.dcm" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    return paths


def many(task: Task, paths: Sequence[Path], rounds: int) -> list[Measurement]:
    """Rates of the network alone and of batches, the shares of a batch's rate, and what each step of a case takes.

    Args:
        task: with weights.
        paths: images in one folder, dozens: networks and decoders start while the first half is at work; of a task
            that reads pairs each goes with the next one.
        rounds: all ways once a round.
    """
    loaded = load_model(task)
    cases = [
        Case(
            tuple(paths[(number + other) % len(paths)].name for other in range(len(task.inputs))), "", number=number + 2
        )
        for number in range(len(paths))
    ]
    alone = "the network's forward alone, one case after the other"
    rates: dict[str, list[float]] = {name: [] for name in (alone, *map(_title, WORKERS))}
    prepared = _prepared(task, paths[:_SOME])
    for _ in range(rounds):
        rates[alone].append(_forward_rate(loaded, prepared, len(paths)))
        for workers in WORKERS:
            rates[_title(workers)].append(_batch_rate(task, cases, paths[0].parent, workers))
    rows = [measured(name, values, "cases/s") for name, values in rates.items()]
    for workers in WORKERS:
        shares = [batch / base for batch, base in zip(rates[_title(workers)], rates[alone], strict=True)]
        row = measured(f"{_title(workers)}, over the forward alone", shares, "times", goal=LEAST)
        rows.append(replace(row, at_least=True))
    return rows + _steps(loaded, paths[:_SOME], rounds)


def _title(workers: int) -> str:
    return f"from files to rows, {workers} worker{'s' if workers > 1 else ''}"


def _prepared(task: Task, paths: Sequence[Path]) -> list[Prepared]:
    images = [load_image(path, read=task.read_file) for path in paths]
    return [task.prepare([image] * len(task.inputs), {}, ModelInput()) for image in images]


def _forward_rate(loaded: LoadedModel, prepared: Sequence[Prepared], count: int) -> float:
    """Cases a second of so many, what was prepared being taken round and round."""
    encode(loaded, prepared[0])
    start = time.perf_counter()
    for number in range(count):
        encode(loaded, prepared[number % len(prepared)])
    return count / (time.perf_counter() - start)


def _batch_rate(task: Task, cases: Sequence[Case], root: Path, workers: int) -> float:
    batch = Batch(task, cases, root, "", root / "predictions.csv", Asked(), judged=False)
    card, executor = staffed(batch, None, workers)
    watched = Watched(executor)
    outcome = predict_table(batch, card.sha256, watched, restart=True)
    if outcome.left_out:
        raise RuntimeError(f"The benchmarks' own images could not be used: {outcome.left_out[0].reason}")
    return watched.rate(len(cases) // 2)


def _steps(loaded: LoadedModel, paths: Sequence[Path], rounds: int) -> list[Measurement]:
    """Milliseconds of a case that each step takes by itself, one after the other in one process."""
    task, inputs = loaded.task, len(loaded.task.inputs)
    images = [[load_image(path, read=task.read_file)] * inputs for path in paths]
    prepared = [task.prepare(image, {}, ModelInput()) for image in images]

    def reading() -> None:
        for path in paths:
            for _ in repeat(None, inputs):
                load_image(path, read=task.read_file)

    def guarding() -> None:
        for image in images:
            guard(task, image, False)

    def preparing() -> None:
        for image in images:
            task.prepare(image, {}, ModelInput())

    def predicting() -> None:
        for image, ready in zip(images, prepared, strict=True):
            predict(loaded, ready, encode(loaded, ready), image)

    actions = {"reading": reading, "image guard": guarding, "preparing": preparing, "predicting": predicting}
    seconds = interleaved({f"a case's {name}": action for name, action in actions.items()}, rounds)
    each = {name: [1000 * value / len(paths) for value in values] for name, values in seconds.items()}
    return [measured(name, values, "ms", note="by itself, in one process") for name, values in each.items()]

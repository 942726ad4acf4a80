"""The workbench as a visitor meets it: first paint, from upload to answer, the viewer's steps; the server's memory."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.server import Server, chromium, served
from benchmarks.timing import measured
from benchmarks.visit import visit
from cxrkit.explain import explain
from cxrkit.finding_labels import several_labels
from cxrkit.image import read_image
from cxrkit.predict import encode, predict
from cxrkit.quality import check_image
from cxrkit.speed import Measurement
from cxrkit.task import ModelInput, Task
from cxrkit.weights import LoadedModel, load_model

START_HEADING = "CXR Workbench"
ANSWER_GOAL = 0.4
"""Seconds that upload, page and browser may add to what the library computes."""

STEP_GOAL = 50.0
"""Milliseconds that a step of the viewer's window may take."""

_LOOK = 3000
"""Milliseconds that a visitor looks at an answer before the next upload; the browser loads what plots need then."""

_LOOK_ROUND = 10_000
"""Milliseconds from the first page of a new server to an upload, of a visitor who reads it and looks for a file."""

STEPS = 20
MIB = 2**20


def _lists() -> defaultdict[str, list[float]]:
    return defaultdict(list)


@dataclass
class Found:
    """Values of all runs.

    Attributes:
        paints: seconds until a page's heading is there.
        answers: seconds until score, image and heatmap are there, and what the library alone takes.
        memory: MiB of the server at each moment.
        steps: milliseconds of each step of the viewer's window.
        traffic: bytes that all steps of a drag sent and received.
    """

    paints: defaultdict[str, list[float]] = field(default_factory=_lists)
    answers: defaultdict[str, list[float]] = field(default_factory=_lists)
    memory: defaultdict[str, list[float]] = field(default_factory=_lists)
    steps: list[float] = field(default_factory=list)
    traffic: list[float] = field(default_factory=list)


def workbench(
    task: Task, files: Sequence[Path], starts: int, goal: float | None = None
) -> dict[str, list[Measurement]]:
    """Measure a task's page on servers of our own.

    Args:
        task: with weights.
        files: images for uploads, each different; at least four. Each round takes two of them; the first one does not
            count.
        starts: how many times servers are started for what is measured cold.
        goal: seconds that the answer to a further image of a session should take at most, where there is one.
    """
    found, loaded = Found(), load_model(task)
    with chromium() as browser:
        for _ in range(starts):
            _cold(browser, task, files[0], found)
        with served() as server:
            _round(browser, server, loaded, files[:2], Found())
            for index in range(2, len(files) - 1, 2):
                _round(browser, server, loaded, files[index : index + 2], found)
            found.memory[f"after {len(files)} answers"].append(server.memory() / MIB)
            peak = server.peak()
        if peak is not None:
            found.memory["peak, without the processes that decode"].append(peak / MIB)
    return {
        "first paint": [measured(name, values, "s", waiting=True) for name, values in found.paints.items()],
        "from upload to answer": _answer_rows(found, goal),
        "a step of the viewer's window": _step_rows(found),
        "memory of the server": [measured(name, values, "MiB") for name, values in found.memory.items()],
    }


def pair_answers(task: Task, files: Sequence[Path], rounds: int) -> list[Measurement]:
    """Measure the page of a task that compares two images; both are read there, guarded, compared and registered.

    Args:
        task: with weights.
        files: images for uploads; the pairs of two neighbours are taken round and round.
        rounds: pairs, each in a session of its own.
    """
    seconds = []
    with chromium() as browser, served() as server:
        for number in range(rounds + 1):
            first, second = files[2 * number % (len(files) - 1)], files[2 * number % (len(files) - 1) + 1]
            guest = visit(browser)
            guest.open(f"{server.url}/{task.name}", task.title)
            guest.acknowledge()
            guest.give_baseline(first)
            seconds.append(guest.upload(second, digest(second), place=1))
            guest.close()
    note = "from the second upload on; the first image is there already"
    return [
        measured("first pair of a session, server warm", seconds[1:], "s", waiting=True, note=note),
        measured("first pair after the server's start", seconds[:1], "s", waiting=True, note="loads torch, weights"),
    ]


def digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def compute(loaded: LoadedModel, file: Path) -> float:
    """Seconds that the library alone takes: read, guard, prepare, encode, score, heatmap.

    The map is of the positive class, of the likeliest one of a task that calls no class, or of the first of several
    labels.
    """
    task, data = loaded.task, file.read_bytes()
    start = time.perf_counter()
    image = read_image(data)
    check_image(image, task.reads)
    prepared = task.prepare([image] * len(task.inputs), {}, ModelInput())
    encoded = encode(loaded, prepared)
    prediction = predict(loaded, prepared, encoded, [image])
    several = several_labels(task)
    explain(loaded, prepared, encoded, [task.labels[0] if several else task.called or prediction.label])
    return time.perf_counter() - start


def _cold(browser: Browser, task: Task, file: Path, found: Found) -> None:
    """Two fresh servers: the first visitor of one begins at the start page and looks round, the other hurries."""
    with served() as server:
        found.memory["started, before any visit"].append(server.memory() / MIB)
        guest = visit(browser)
        found.paints["start page, first visit after the server's start"].append(guest.open(server.url, START_HEADING))
        guest.open(f"{server.url}/{task.name}", task.title)
        guest.acknowledge()
        guest.page.wait_for_timeout(_LOOK_ROUND)
        found.answers["looked round"].append(guest.upload(file, digest(file)))
        guest.close()
    with served() as server:
        guest = visit(browser)
        seconds = guest.open(f"{server.url}/{task.name}", task.title)
        found.paints["task's page, first visit after the server's start"].append(seconds)
        guest.acknowledge()
        found.answers["cold"].append(guest.upload(file, digest(file)))
        found.memory["after the first answer"].append(server.memory() / MIB)
        guest.close()


def _round(browser: Browser, server: Server, loaded: LoadedModel, files: Sequence[Path], found: Found) -> None:
    """A visitor of the start page; then one of the task's page, who uploads two images and drags."""
    guest = visit(browser)
    found.paints["start page, server warm"].append(guest.open(server.url, START_HEADING))
    guest.close()
    guest = visit(browser)
    seconds = guest.open(f"{server.url}/{loaded.task.name}", loaded.task.title)
    found.paints["task's page, server warm"].append(seconds)
    guest.acknowledge()
    for which, file in zip(("first", "next"), files, strict=True):
        alone, whole = compute(loaded, file), guest.upload(file, digest(file))
        found.answers["compute"].append(alone)
        found.answers[which].append(whole)
        found.answers[f"{which}, added"].append(whole - alone)
        guest.page.wait_for_timeout(_LOOK)
    steps, traffic = guest.window_steps(STEPS)
    found.steps += steps
    found.traffic.append(traffic)
    guest.close()


def _answer_rows(found: Found, goal: float | None) -> list[Measurement]:
    answers = found.answers
    library = "read, image guard, prepare, encode, heatmap and score without a browser, in turn with the uploads"
    fresh = "first image after the server's start"
    added = "the image's answer less what the library computes for the same image, one by one"
    return [
        measured("what the library computes", answers["compute"], "s", note=library),
        measured("first image of a session, server warm", answers["first"], "s", waiting=True),
        measured("next image of the session", answers["next"], "s", waiting=True, goal=goal),
        measured(
            "first image: added by upload, page and browser", answers["first, added"], "s", goal=ANSWER_GOAL, note=added
        ),
        measured("next image: added by upload, page and browser", answers["next, added"], "s", goal=ANSWER_GOAL),
        measured(f"{fresh}, given at once", answers["cold"], "s", waiting=True, note="loads torch, weights"),
        measured(
            f"{fresh}, given {_LOOK_ROUND // 1000} s after the page was there",
            answers["looked round"],
            "s",
            waiting=True,
            note="torch is loaded while the visitor looks round",
        ),
    ]


def _step_rows(found: Found) -> list[Measurement]:
    note = "from the pointer's move to the drawn picture, the wait for the browser's next frame included"
    return [
        measured("time", found.steps, "ms", waiting=True, goal=STEP_GOAL, note=note),
        measured("sent and received", found.traffic, "bytes", goal=0, note=f"by all {STEPS} steps of a drag together"),
    ]

"""Ten thousand damaged files: each is an image or one ImageError, at once and in little memory.

What fails is named by its number; `python -m tests.fuzz NUMBER` reads that file again.
"""

import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from cxrkit import sandbox
from cxrkit.errors import FrameRequired, ImageError, ImageTooLarge
from cxrkit.image import read_image
from cxrkit.sandbox import WORKERS
from tests.fuzz import SEED, frame_for
from tests.fuzz.corpus import CANARY, corpus
from tests.fuzz.mutator import mutant

pytestmark = pytest.mark.timeout(900)  # all files are read in the set-up of the first test that asks for them

FILES = 10_000
CPU_SECONDS, MEMORY_BYTES = 1.0, 512 * 1024**2
WALL_SECONDS = 20.0  # where something else has the cores; CPU_SECONDS is the claim


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        number: of the mutant.
        recipe: how it was made.
        found: "image", or the error's class and sentence; what else was raised, or what is wrong with the image.
        error: what was raised, if anything.
        wall, cpu: seconds; cpu is None where the worker died or was not asked.
        peak: most bytes that the worker has held so far.
    """

    number: int
    recipe: str
    found: str
    error: ImageError | None
    wall: float
    cpu: float | None
    peak: int

    def __str__(self) -> str:
        return f"file {self.number} ({self.recipe}): {self.found}; see it with: python -m tests.fuzz {self.number}"


class Meter(logging.Handler):
    """Keeps what the sandbox says of the last request of each thread."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.last = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        self.last.record = record


def read(number: int, meter: Meter) -> Outcome:
    made = mutant(SEED, number, corpus())
    meter.last.record = None
    error = None
    started = time.monotonic()
    try:
        image = read_image(made.data, f"{CANARY}.dcm", frame_for(number))
        found = "image" if np.isfinite(image.values).all() and np.isfinite(image.windowed()).all() else "not finite"
    except ImageError as refusal:
        error, found = refusal, f"{type(refusal).__name__}: {refusal}"
    record = meter.last.record
    return Outcome(
        number,
        made.recipe,
        found,
        error,
        time.monotonic() - started,
        getattr(record, "cpu", None),
        getattr(record, "peak", 0),
    )


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    corpus()
    meter, log = Meter(), logging.getLogger("cxrkit.sandbox")
    log.addHandler(meter)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        # What a worker took at most it says of its whole life, so these files get workers of their own.
        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(WORKERS) as threads:
            patch.setattr(sandbox, "_pool", sandbox._Pool())
            found = list(threads.map(lambda number: read(number, meter), range(FILES)))
            sandbox._pool.close()
            return found
    finally:
        log.removeHandler(meter)
        log.setLevel(logging.NOTSET)
        log.propagate = True


def test_every_file_of_the_corpus_is_sound_before_it_is_damaged() -> None:
    for data in corpus().values():
        assert np.isfinite(read_image(data, frame=1).values).all()


def test_each_is_an_image_of_numbers_or_an_image_error(outcomes: list[Outcome]) -> None:
    wrong = [str(outcome) for outcome in outcomes if outcome.error is None and outcome.found != "image"]
    assert not wrong


def test_each_costs_under_a_second_and_512_megabytes(outcomes: list[Outcome]) -> None:
    slowest = max(outcomes, key=lambda outcome: outcome.cpu or 0)
    largest = max(outcome.peak for outcome in outcomes)
    deaths = [outcome for outcome in outcomes if "decoder fail" in outcome.found or "longer to decode" in outcome.found]
    print(f"{len(outcomes)} files; slowest {slowest.cpu:.3f} s of processor time, {slowest}")
    print(
        f"largest {largest / 1024**2:.0f} MB; {len(deaths)} workers died; longest {max(o.wall for o in outcomes):.2f} s"
    )
    assert slowest.cpu is not None
    assert slowest.cpu < CPU_SECONDS, str(slowest)
    assert 0 < largest < MEMORY_BYTES
    assert not [str(outcome) for outcome in outcomes if outcome.wall > WALL_SECONDS]


def test_messages_are_sentences_without_anything_of_the_file(outcomes: list[Outcome]) -> None:
    refused = {str(outcome.error): outcome for outcome in outcomes if outcome.error is not None}
    wrong = [str(outcome) for text, outcome in refused.items() if not re.fullmatch(r"[A-Z].{20,300}\.", text)]
    assert not wrong
    assert not [str(outcome) for text, outcome in refused.items() if CANARY in text]
    # The same few sentences, with numbers in some of them: text of the files would give hundreds.
    assert len({re.sub(r"\d[\d,]*", "0", text) for text in refused}) < 30


def test_damage_is_neither_harmless_nor_always_deadly(outcomes: list[Outcome]) -> None:
    kinds = [type(outcome.error) for outcome in outcomes]
    assert set(kinds) == {type(None), ImageError, ImageTooLarge, FrameRequired}
    assert FILES // 10 < kinds.count(type(None)) < FILES // 2
    names = [outcome.recipe.split(", ")[0] for outcome in outcomes if outcome.error is None]
    assert set(names) == set(corpus())


def test_a_mutant_is_known_by_its_seed_and_number() -> None:
    files = corpus()
    assert mutant(SEED, 7, files) == mutant(SEED, 7, files)
    assert mutant(SEED, 7, files).data != mutant(SEED + 1, 7, files).data

"""What a batch of many cases takes of memory: their places in a file, not their rows."""

import tracemalloc
from collections.abc import Iterable
from pathlib import Path

from cxrkit.batch import Batch, predict_table
from cxrkit.batch_case import Answer, Asked
from cxrkit.batch_workers import Answers, Job
from cxrkit.cases import Case
from cxrkit.predict import Prediction
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

LONG = 4000
"""Letters of each row: a thousand rows take 4 MB."""


class Dictated:
    """Executor: an answer of many words for every case."""

    identity = "dictated"

    def __call__(self, jobs: Iterable[Job]) -> Answers:
        for index, _ in jobs:
            words = (f"{index} ".ljust(LONG, "x"),)
            scores = {"normal": 0.75, "tuberculosis": 0.25}
            yield index, Answer(Prediction(scores, 0.5, "normal", words))


def peak(count: int, folder: Path) -> int:
    """Bytes that a batch of so many cases takes at most beside its list of cases."""
    folder.mkdir()
    cases = [Case((f"{number}.png",), "", number=number + 2) for number in range(count)]
    batch = Batch(TUBERCULOSIS, cases, folder, "listing", folder / "predictions.csv", Asked(), judged=False)
    tracemalloc.start()
    try:
        outcome = predict_table(batch, "weights", Dictated())
        found = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.cases == count
    assert not outcome.left_out
    return found


def test_twice_as_many_cases_take_hardly_more_memory(tmp_path: Path) -> None:
    peak(10, tmp_path / "first")  # whatever is imported or kept once
    few, many = peak(1000, tmp_path / "few"), peak(2000, tmp_path / "many")
    assert (tmp_path / "many" / "predictions.csv").stat().st_size > 2000 * LONG
    assert many - few < 0.1 * 1000 * LONG

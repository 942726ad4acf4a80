"""What a batch of many cases takes of memory: their places in a file, not their rows."""

import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from cxrkit.batch import Batch, predict_table
from cxrkit.batch_case import Answer, Asked
from cxrkit.batch_workers import Answers, Job
from cxrkit.cases import Case
from cxrkit.predict import Prediction
from cxrkit.tally import Tally
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


def peak(count: int, folder: Path, judged: bool) -> int:
    """Bytes that a batch of so many cases takes at most beside its list of cases; `judged` as `evaluate` does it."""
    folder.mkdir()
    cases = [Case((f"{number}.png",), str(number % 2), number=number + 2) for number in range(count)]
    batch = Batch(TUBERCULOSIS, cases, folder, "listing", folder / "predictions.csv", Asked(), judged=judged)
    tally = Tally(TUBERCULOSIS)
    tracemalloc.start()
    try:
        outcome = predict_table(batch, "weights", Dictated(), keep=tally.add if judged else None)
        found = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.cases == count
    assert not outcome.left_out
    assert tally.used == (count if judged else 0)
    return found


@pytest.mark.parametrize("judged", [False, True], ids=["analysed", "evaluated"])
def test_twice_as_many_cases_take_hardly_more_memory(judged: bool, tmp_path: Path) -> None:
    peak(10, tmp_path / "first", judged)  # whatever is imported or kept once
    few, many = peak(1000, tmp_path / "few", judged), peak(2000, tmp_path / "many", judged)
    assert (tmp_path / "many" / "predictions.csv").stat().st_size > 2000 * LONG
    assert many - few < 0.1 * 1000 * LONG

"""Conducts studies: trains their cells, measures them on the same cases, and writes their tables.

Cells are kept by what they are, so that studies share those they have in common, and a study that was killed goes on
with the first unfinished one.
"""

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Generic

import numpy as np
from torch import nn

from train.epochs import PROGRESS, read_rows
from train.stages import Stage
from train.studies import Budget, Cell, Row, Study, put_study_on_card, write_table
from train.trainer import FitSettings


class Laboratory(ABC, Generic[Cell]):
    """What all cells of one task's studies share; a subclass knows how they are measured.

    Args:
        run: folder for cells and tables.
        how: hardware and precision.
        card: of the shipped weights.

    Attributes:
        details: what the title of a table on the card says after the budget.
    """

    details = ""

    def __init__(self, run: Path, how: FitSettings, card: Path) -> None:
        self.run, self.how, self.card = run, how, card

    def conduct(self, study: Study[Cell], budget: Budget, repeats: int, *, card: bool) -> list[Row]:
        """Train what is not there yet; write the table after each repeat, and put it on the card if asked to."""
        rows: list[Row] = []
        for repeat in range(repeats):
            for cell in study.cells:
                self.measured(cell, repeat)
            rows = self.table(study, repeat + 1)
            write_table(rows, self.run / f"{study.title.lower().replace(' ', '_')}_{budget}")
        if card:
            left_out = f", without {', '.join(study.missing)}" if study.missing else ""
            put_study_on_card(study.title, budget, rows, self.card, self.details + left_out)
        return rows

    @abstractmethod
    def measured(self, cell: Cell, repeat: int = 0) -> Row:
        """A cell's figures as stored, or trained and measured now."""

    @abstractmethod
    def table(self, study: Study[Cell], repeats: int) -> list[Row]:
        """One row a cell, over its first repeats."""


def kept(file: Path, measure: Callable[[], tuple[nn.Module, Row]]) -> Row:
    """A cell's figures as its folder holds them, or trained and measured now.

    Args:
        file: in the folder of the cell's training run.
        measure: -> the trained network and its figures, to which its size and the run's minutes are added.
    """
    if file.is_file():
        stored: Row = json.loads(file.read_text())
        return stored
    model, figures = measure()
    minutes = sum(float(row["seconds"]) for row in read_rows(file.parent / PROGRESS)) / 60
    found = {"million parameters": millions(model), "minutes": minutes} | figures
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(found))
    fresh.replace(file)
    for checkpoints in file.parent.glob("stage_*/checkpoints"):  # up to a gigabyte each, and of no more use
        shutil.rmtree(checkpoints)
    return found


def digest(*what: object) -> str:
    """Of everything that decides what a cell's figures are, for the name of its folder."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:12]


def millions(model: nn.Module) -> float:
    """Parameters of a network in millions."""
    return round(sum(weight.numel() for weight in model.parameters()) / 1e6, 2)


def training_columns(
    stages: Sequence[Stage], drawn: str, settings: Mapping[str, object], repeats: Sequence[Row]
) -> Row:
    """Columns of a table that say how a cell was trained.

    Args:
        stages: of the training; the size told is that of the last one.
        drawn: what an epoch draws, in words.
        settings: further ones, by name in words.
        repeats: the cell's figures in each, from `kept`.
    """
    sizes, epochs, counts = zip(*stages, strict=True)
    return {
        "million parameters": repeats[0]["million parameters"],
        "size": sizes[-1],
        "epochs": _in_turn(epochs),
        f"{drawn} per epoch": _in_turn(counts if len(set(counts)) > 1 else counts[:1]),
        **settings,
        "repeats": len(repeats),
        "minutes each": round(float(np.mean([one["minutes"] for one in repeats])), 1),
    }


def _in_turn(numbers: Sequence[int]) -> int | str:
    """Of one stage after the other: 4, or "4 + 8"."""
    return numbers[0] if len(numbers) == 1 else " + ".join(str(number) for number in numbers)

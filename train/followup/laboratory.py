"""Conducts studies: trains their cells, measures them on the same pairs, and writes their tables.

Cells are kept by what they are, so that studies share those they have in common, and a study that was killed goes on
with the first unfinished one.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from cxrkit.card import WEIGHTS
from cxrkit.errors import InputError
from cxrkit.tasks.followup import FOLLOW_UP
from train.epochs import PROGRESS, read_rows
from train.followup.fit import Settings, train_network
from train.followup.held import read_held
from train.followup.material import Material, read_material
from train.followup.moco import MocoSettings, contrast, read_radiographs
from train.followup.study import Cell, Scale, Study
from train.followup.study_parts import margins, reported_parts
from train.followup.study_table import Measured, table_of
from train.studies import Budget, Row, put_on_card, write_table
from train.trainer import FitSettings

_DIVISION = 0
"""Seed of the division by patient, the same in every repeat."""


class Laboratory:
    """What all cells share: data, parts that report, hardware and folders.

    Args:
        data: folders or tables that parts.read_set can read.
        scale: of the studies.
        run: folder for cells and tables.
        cache: folder for prepared images.
        how: hardware and precision, one device.
    """

    def __init__(self, data: Sequence[Path], scale: Scale, run: Path, cache: Path, how: FitSettings) -> None:
        if how.devices * how.nodes != 1:
            raise InputError("A study trains on one device. Choose --devices 1; studies can run beside each other.")
        self.data, self.scale, self.run, self.cache, self.how = data, scale, run, cache, how
        self.held = read_held(data, cache, _DIVISION)
        self.parts = reported_parts(self.held, scale.settings.image_size, scale.each, cache)
        self._material: Material | None = None

    def conduct(self, study: Study, budget: Budget, repeats: int, *, card: bool) -> list[Row]:
        """Train what is not there yet; write the table after each repeat, and put it on the card if asked to."""
        rows: list[Row] = []
        for repeat in range(repeats):
            for cell in study.cells:
                self._measured(cell, repeat)
            cells = [self._gathered(cell, repeat + 1) for cell in study.cells]
            rows = table_of(cells, study.reference, {part.name: part.change for part in self.parts})
            write_table(rows, self.run / f"{study.title.lower().replace(' ', '_')}_{budget}")
        if card:
            put_on_card(f"{study.title} ({budget} budget)", rows, WEIGHTS / FOLLOW_UP.name / "card.json")
        return rows

    def _gathered(self, cell: Cell, repeats: int) -> Measured:
        found = [self._measured(cell, repeat) for repeat in range(repeats)]
        by_part = {part.name: np.array([one["margins"][part.name] for one in found]) for part in self.parts}
        size, epochs, pairs = cell.settings.stages[-1]
        settings: Row = {
            "million parameters": found[0]["million parameters"],
            "size": size,
            "epochs": epochs,
            "pairs per epoch": pairs,
            "batch": cell.settings.batch,
            "learning rate": cell.settings.learning_rate,
            "MoCo v2": _words(cell.contrastive),
            "repeats": repeats,
            "minutes each": round(float(np.mean([one["minutes"] for one in found])), 1),
        }
        return Measured(cell.name, by_part, settings)

    def _measured(self, cell: Cell, repeat: int) -> Row:
        """A cell's figures as stored, or trained and measured now."""
        settings = replace(cell.settings, seed=repeat)
        folder = self.run / "cells" / f"{settings.encoder}-{self._key(settings, cell.contrastive)}"
        file = folder / "margins.json"
        if file.is_file():
            found: Row = json.loads(file.read_text())
            return found
        if cell.contrastive:
            settings = replace(settings, init=self._contrasted(replace(cell.contrastive, seed=repeat)))
        material = self._learned_from()
        model = train_network(material, settings, self.how, folder)
        found = {
            "cell": cell.name,
            "million parameters": round(sum(weight.numel() for weight in model.parameters()) / 1e6, 2),
            "minutes": sum(float(row["seconds"]) for row in read_rows(folder / PROGRESS)) / 60,
            "margins": margins(model, material, settings.judged, settings.image_size, _DIVISION, self.parts),
        }
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(found))
        fresh.replace(file)
        for checkpoints in folder.glob("stage_*/checkpoints"):  # a gigabyte each, and of no more use
            shutil.rmtree(checkpoints)
        return found

    def _contrasted(self, settings: MocoSettings) -> Path:
        folder = self.run / "contrastive" / f"{settings.encoder}-{_digest(settings, *self._data())}"
        views = read_radiographs(self.data, settings.size, self.cache, _DIVISION)
        return contrast(views, settings, self.how, folder)

    def _learned_from(self) -> Material:
        if self._material is None:
            self._material = read_material(self.data, self.scale.settings.simulated, self.cache, _DIVISION)
        return self._material

    def _key(self, settings: Settings, contrastive: MocoSettings | None) -> str:
        """Of everything that decides what a cell's figures are."""
        start = hashlib.sha256(settings.init.read_bytes()).hexdigest() if settings.init else None
        return _digest(replace(settings, init=None, workers=0), start, contrastive, self.scale.each, *self._data())

    def _data(self) -> list[object]:
        return [(held.name, [case.files for case in held.parts.training]) for held in self.held]


def _digest(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:12]


def _words(settings: MocoSettings | None) -> str:
    if settings is None:
        return ""
    told = asdict(settings)
    return ", ".join(f"{name} {told[name]}" for name in ("size", "epochs", "batch", "queue", "momentum", "optimiser"))

"""Trains and measures the cells of follow-up comparison's studies on the pairs that report."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from torch import nn

from cxrkit.card import WEIGHTS
from cxrkit.errors import InputError
from cxrkit.tasks.followup import FOLLOW_UP
from train import laboratory
from train.datasets import DIVISION
from train.followup.data import FULL
from train.followup.fit import Settings, train_network
from train.followup.held import read_held
from train.followup.material import Material, read_material
from train.followup.moco import MocoSettings, contrast, read_radiographs
from train.followup.study import Cell, Scale
from train.followup.study_parts import margins, reported_parts
from train.followup.study_table import Measured, table_of
from train.laboratory import digest, kept, training_columns
from train.studies import Row, Study
from train.trainer import FitSettings


class Laboratory(laboratory.Laboratory[Cell]):
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
        super().__init__(run, how, WEIGHTS / FOLLOW_UP.name / "card.json")
        self.data, self.scale, self.cache = data, scale, cache
        self.held = read_held(data, cache)
        self.parts = reported_parts(self.held, scale.settings.image_size, scale.each, cache)
        self._material: Material | None = None

    def table(self, study: Study[Cell], repeats: int) -> list[Row]:
        cells = [self._gathered(cell, repeats) for cell in study.cells]
        return table_of(cells, study.reference, {part.name: part.change for part in self.parts})

    def _gathered(self, cell: Cell, repeats: int) -> Measured:
        found = [self.measured(cell, repeat) for repeat in range(repeats)]
        by_part = {part.name: np.array([one["margins"][part.name] for one in found]) for part in self.parts}
        told = {
            "batch": cell.settings.batch,
            "learning rate": cell.settings.learning_rate,
            "weight of the lesions' loss": cell.settings.lambdas.lesions,
            "gentle first stage": _gentle(cell.settings),
            "MoCo v2": _words(cell.contrastive),
        }
        return Measured(cell.name, by_part, training_columns(cell.settings.stages, "pairs", told, found))

    def measured(self, cell: Cell, repeat: int = 0) -> Row:
        settings = replace(cell.settings, seed=repeat)
        folder = self.run / "cells" / f"{settings.encoder}-{self._key(settings, cell.contrastive)}"

        def measure() -> tuple[nn.Module, Row]:
            init = self._contrasted(replace(cell.contrastive, seed=repeat)) if cell.contrastive else settings.init
            material = self._learned_from()
            drawn = self.run / "drawn" / digest(self.scale.settings.simulated, self.scale.settings.alike, *self._data())
            model = train_network(material, replace(settings, init=init), self.how, folder, drawn)
            found = margins(
                model.to(self.how.device()), material, settings.judged, settings.image_size, DIVISION, self.parts
            )
            return model, {"cell": cell.name, "margins": found}

        return kept(folder / "margins.json", measure)

    def _contrasted(self, settings: MocoSettings) -> Path:
        folder = self.run / "contrastive" / f"{settings.encoder}-{digest(settings, *self._data())}"
        views = read_radiographs(self.data, settings.size, self.cache)
        return contrast(views, settings, self.how, folder)

    def _learned_from(self) -> Material:
        if self._material is None:
            self._material = read_material(
                self.data, self.scale.settings.simulated, self.cache, alike=self.scale.settings.alike
            )
        return self._material

    def _key(self, settings: Settings, contrastive: MocoSettings | None) -> str:
        """Of everything that decides what a cell's figures are."""
        start = hashlib.sha256(settings.init.read_bytes()).hexdigest() if settings.init else None
        return digest(replace(settings, init=None, workers=0), start, contrastive, self.scale.each, *self._data())

    def _data(self) -> list[object]:
        """All that the tables say, wherever the sets lie: another label makes another cell."""
        return [replace(held.images, root=Path()) for held in self.held]


def _gentle(settings: Settings) -> str:
    """Where the first of several stages is easier than the others."""
    if len(settings.stages) == 1 or settings.first == FULL:
        return ""
    return f"contrasts from {settings.first.faintest:g}, variation x {settings.first.variation:g}"


def _words(settings: MocoSettings | None) -> str:
    if settings is None:
        return ""
    told = asdict(settings)
    return ", ".join(f"{name} {told[name]}" for name in ("size", "epochs", "batch", "queue", "momentum", "optimiser"))

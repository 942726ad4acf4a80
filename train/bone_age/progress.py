"""How a training run gets on: losses of each epoch, and what the part that chooses says."""

import time
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from train.bone_age.answers import Answers
from train.bone_age.losses import Losses

CHOICE = "MAD of choice"
"""The column that the best epoch is chosen by: mean of the MADs by expectation on small and on larger images."""


class Recorder:
    """Means of an epoch's losses."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start an epoch."""
        self.started = time.monotonic()
        self.sums: dict[str, float] = {}
        self.batches = 0

    def add(self, total: Tensor, found: Losses) -> None:
        """One batch."""
        parts = {
            "loss": total,
            "age": found.age,
            "expectation, years": found.expectation,
            "sex": found.sex,
            "sex right": found.sex_right,
        }
        self.batches += 1
        for name, value in parts.items():
            if value is not None:
                self.sums[name] = self.sums.get(name, 0.0) + float(value.detach())

    def means(self) -> dict[str, float]:
        """Mean of each part since the last clear, and the seconds."""
        means = {name: value / self.batches for name, value in self.sums.items()}
        return {"seconds": time.monotonic() - self.started} | means


def figures(judged: Mapping[str, Answers]) -> dict[str, float]:
    """Of each kind of images MAD by expectation and by arg-max in months and the share of sexes read right.

    Args:
        judged: kind in words -> answers to its images.
    """
    found: dict[str, float] = {}
    by_expectation = []
    for name, one in judged.items():
        by_expectation.append(float(np.abs(one.expected - one.months).mean()))
        found[f"MAD {name}"] = by_expectation[-1]
        found[f"MAD by arg-max {name}"] = float(np.abs(one.likeliest - one.months).mean())
        if one.reads_sex:
            found[f"sex right {name}"] = float(np.mean(one.sexes.argmax(axis=1) == one.sex))
    return found | {CHOICE: float(np.mean(by_expectation))}

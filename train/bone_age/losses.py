"""What TJ-Net is trained to: cross-entropy of the sex and of the age class (methods section 3), and ways beyond it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrkit.bone_age import STEP
from cxrkit.models.tjnet import AGE, AGES, SEX

YEAR = 12.0
"""Months in which the expectation term counts, so that it and a cross-entropy are of one size."""


class Batch(NamedTuple):
    """N hands as the network reads them.

    Attributes:
        image: [N, 1, S, S], normalised.
        months: [N] float32, bone age.
        sex: [N] int64, 0 or 1, in the order of cxrkit.bone_age.SEXES.
    """

    image: Tensor
    months: Tensor
    sex: Tensor


@dataclass(frozen=True)
class LossSettings:
    """Which losses, and how much of each. The source's are all defaults but `sex`, which it has at 1 as well.

    Attributes:
        sex: weight of the cross-entropy of the sex; 0 = without.
        spread: standard deviation in months of the soft labels, a Gaussian about the age, which need not be a
            multiple of 3; 0 = the nearest class alone, as in the source.
        expectation: weight of |expected age - age| in years; 0 in the source.
        balanced: weigh hands by the inverse frequency of their age class.
    """

    sex: float = 1.0
    spread: float = 0.0
    expectation: float = 0.0
    balanced: bool = False


@dataclass(frozen=True, eq=False)
class Losses:
    """The parts of a batch's loss, and which sexes were read right.

    Attributes:
        age: cross-entropy of the age.
        expectation: mean of |expected age - age| in years.
        sex: cross-entropy of the sex; None where the network does not read it.
        sex_right: share of the hands; None as well.
    """

    age: Tensor
    expectation: Tensor
    sex: Tensor | None
    sex_right: Tensor | None

    def total(self, settings: LossSettings) -> Tensor:
        """What is minimised."""
        total = self.age
        if settings.expectation:
            total = total + settings.expectation * self.expectation
        if settings.sex and self.sex is not None:
            total = total + settings.sex * self.sex
        return total


def losses(logits: Tensor, batch: Batch, settings: LossSettings, frequency: "ClassWeights | None" = None) -> Losses:
    """The parts of the loss.

    Args:
        logits: [N, 79], or [N, 77] of a network without sex head.
        batch: the hands.
        settings: of the soft labels.
        frequency: weight of each age class; None = all weigh the same.
    """
    scores = logits.float()
    ages = scores[:, AGE]
    weights = None if frequency is None else frequency.tensor.to(ages.device)[nearest_class(batch.months)]
    entropy = -(soft_labels(batch.months, settings.spread) * ages.log_softmax(dim=1)).sum(dim=1)
    expected = ages.softmax(dim=1) @ _class_ages(ages)
    away = (expected - batch.months).abs() / YEAR
    sexes = scores[:, SEX]
    reads = sexes.shape[1] > 0
    return Losses(
        age=_mean(entropy, weights),
        expectation=_mean(away, weights),
        sex=nn.functional.cross_entropy(sexes, batch.sex) if reads else None,
        sex_right=(sexes.argmax(dim=1) == batch.sex).float().mean() if reads else None,
    )


def nearest_class(months: Tensor) -> Tensor:
    """[N] months -> [N] int64 class; halfway between two the older one."""
    return ((months / STEP + 0.5).floor().long()).clamp(0, AGES - 1)


def soft_labels(months: Tensor, spread: float) -> Tensor:
    """[N] months -> [N, 77] that sum to 1: a Gaussian about the age, or the nearest class alone where spread is 0."""
    if not spread:
        return nn.functional.one_hot(nearest_class(months), AGES).float()
    distance = (_class_ages(months) - months[:, None]) / spread
    return (-(distance**2) / 2).softmax(dim=1)


@dataclass(frozen=True, eq=False)
class ClassWeights:
    """Weight of each age class, inverse to how often it is there; mean over the hands 1.

    Args:
        months: of all hands learned from.
    """

    months: Sequence[float]
    tensor: Tensor = field(init=False)

    def __post_init__(self) -> None:
        classes = nearest_class(torch.tensor(self.months, dtype=torch.float32)).numpy()
        counts: NDArray[np.float64] = np.bincount(classes, minlength=AGES).astype(np.float64)
        present = counts > 0
        weights = np.zeros(AGES)
        weights[present] = len(classes) / (present.sum() * counts[present])
        object.__setattr__(self, "tensor", torch.from_numpy(weights).float())


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    return values.mean() if weights is None else (values * weights).sum() / weights.sum()


def _class_ages(like: Tensor) -> Tensor:
    return torch.arange(AGES, dtype=torch.float32, device=like.device) * STEP

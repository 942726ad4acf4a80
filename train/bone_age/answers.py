"""What a network says of hands: logits with each sex given, and the ages and sexes that follow."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import nn

from cxrkit.bone_age import SEXES, age_probabilities, age_spread, expected_age, likeliest_age, without_sex
from cxrkit.models.tjnet import AGE, SEX
from cxrkit.task import Task
from train.bone_age.images import Shown

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answers:
    """A network's answers to N pictures.

    Attributes:
        months: [N] reference bone ages.
        sex: [N] index of the true sex.
        ages: [N, 2, 77] logits of the age with each sex given.
        sexes: [N, 2] logits of the sex as read; [N, 0] where the network does not read it.
        temperature: that divides the ages' logits.
    """

    months: Floats
    sex: NDArray[np.int64]
    ages: Floats
    sexes: Floats
    temperature: float = 1.0

    @property
    def given(self) -> Floats:
        """[N, 77] probabilities of the age classes with the true sex given."""
        return age_probabilities(self.ages[np.arange(len(self.sex)), self.sex], self.temperature)

    @property
    def expected(self) -> Floats:
        """[N] months, with the true sex given."""
        return expected_age(self.given)

    @property
    def likeliest(self) -> Floats:
        """[N] months of the arg-max class, with the true sex given."""
        return likeliest_age(self.given)

    @property
    def spread(self) -> Floats:
        """[N] standard deviation of the distribution in months, with the true sex given."""
        return age_spread(self.given)

    @property
    def of_sex(self) -> Floats:
        """[N, 2] probability of each sex as read."""
        return np.asarray(softmax(self.sexes, axis=1), dtype=np.float64)

    @property
    def unstated(self) -> Floats:
        """[N, 77] probabilities where the sex is not stated."""
        return without_sex(self.of_sex, age_probabilities(self.ages, self.temperature))

    @property
    def reads_sex(self) -> bool:
        """Whether the network reads the sex off the image."""
        return bool(self.sexes.shape[1])

    def chosen(self, which: NDArray[np.bool_]) -> "Answers":
        """Those of some pictures."""
        return Answers(self.months[which], self.sex[which], self.ages[which], self.sexes[which], self.temperature)


def together(first: Answers, second: Answers) -> Answers:
    """Both, one after the other; the first one's temperature."""
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    months, sex, ages, sexes = (np.concatenate(pair) for pair in list(pairs)[:4])
    return Answers(months, sex, ages, sexes, first.temperature)


def answers(model: nn.Module, shown: Shown, task: Task, batch: int = 16) -> Answers:
    """Read pictures in eval mode; the second sex costs the head alone.

    Args:
        model: with features, embed and answer; in eval mode.
        shown: pictures as the network reads them before normalisation.
        task: for mean and std.
        batch: pictures at a time.
    """
    device = next(model.parameters()).device
    found = []
    with torch.no_grad():
        for start in range(0, len(shown.hands), batch):
            views = shown.views(start, start + batch).astype(np.float32) / 255
            images = torch.from_numpy(np.float32((views - task.mean) / task.std))[:, None].to(device)
            embedded = model.embed(model.features(images.contiguous(memory_format=torch.channels_last)))  # type: ignore[operator]
            both = [model.answer(embedded, torch.full((len(views),), sex, device=device)) for sex in range(len(SEXES))]  # type: ignore[operator]
            found.append(torch.stack(both, dim=1).float().cpu().numpy())
    logits = np.concatenate(found).astype(np.float64)
    return Answers(shown.months, shown.sex, logits[..., AGE], logits[:, 0, SEX])

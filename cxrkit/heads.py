"""The head of a network, told what is known of the patient."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cxrkit.bone_age import SEXES, Sex
from cxrkit.errors import InputError
from cxrkit.weights import LoadedModel

if TYPE_CHECKING:
    from cxrkit.models.tjnet import TjNet

Head = Callable[[Tensor], Tensor]


def head_of(loaded: LoadedModel, context: Mapping[str, Any]) -> Head:
    """Feature maps [N, C, h, w] -> logits [N, K], with the patient's facts in it.

    Where the sex is not stated, an age's logits are those of the mixture over both sexes, weighted by what the network
    itself reads off the image (bone_age.without_sex): as functions of the maps, so that they can be explained too.

    Args:
        loaded: the network with its card.
        context: as in Prepared; the same for all N.

    Raises:
        InputError: the sex is not stated, and the network doesn't read it.
    """
    model: Any = loaded.model
    if "sex" not in loaded.task.context:
        head: Head = model.head
        return head
    sex: Sex | None = context.get("sex")
    if sex is not None:
        return partial(_with_sex, model, SEXES.index(sex))
    if model.sex is None:
        raise InputError("This network doesn't read the sex off the image. State the sex, F or M.")
    return partial(_without_sex, model, loaded.card.temperature)


def _with_sex(model: "TjNet", sex: int, maps: Tensor) -> Tensor:
    return model.head(maps, _same(sex, maps))


def _without_sex(model: "TjNet", temperature: float, maps: Tensor) -> Tensor:
    """Logits that become the mixture of both sexes' distributions once they are divided by the temperature."""
    from cxrkit.models.tjnet import AGE, SEX

    embedded = model.embed(maps)
    answers = [model.answer(embedded, _same(sex, maps)) for sex in range(len(SEXES))]
    of_sex = answers[0][:, SEX].log_softmax(dim=1)
    of_age = torch.stack([(answer[:, AGE] / temperature).log_softmax(dim=1) for answer in answers], dim=1)
    mixed = (of_sex[..., None] + of_age).logsumexp(dim=1) * temperature
    return torch.cat([mixed, answers[0][:, SEX]], dim=1)


def _same(sex: int, maps: Tensor) -> Tensor:
    return torch.full((len(maps),), sex, dtype=torch.int64, device=maps.device)

"""How a training run gets on: losses of each epoch, and what the carved part says."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cxrkit import metrics
from cxrkit.models.music_vit import CHANGE, DIRECTION
from cxrkit.pixels import eight_bits
from train.followup.data import Example, PairSource, normalised
from train.followup.kinds import CONTROL
from train.followup.losses import UNKNOWN, Batch, Lambdas, Losses
from train.prepared import made_by_all_cores

CHOICE = "AUC of choice"
"""The column that the best epoch is chosen by: mean of the sources' change AUC, each weighted as it was told."""


class Recorder:
    """Sums of an epoch's losses."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.clear()

    def clear(self) -> None:
        self.started = time.monotonic()
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def add(self, batch: Batch, found: Losses, lambdas: Lambdas) -> None:
        """One batch; each source's part is its cross-entropy of change."""
        parts = {"loss": found.total(lambdas), "change": found.change, "disease": found.disease}
        parts |= {"matching": found.matching, "direction": found.direction, "lesions": found.lesions}
        for name, value in parts.items():
            self._add(name, float(value.detach()), 1)
        for number, name in enumerate(self.names):
            chosen = (batch.source == number) & (batch.change != UNKNOWN)
            if chosen.any():
                self._add(f"change, {name}", float(found.each[chosen].sum()), int(chosen.sum()))

    def means(self) -> dict[str, float]:
        """Mean of each part since the last clear, and the seconds."""
        means = {name: value / self.counts[name] for name, value in self.sums.items()}
        return {"seconds": time.monotonic() - self.started} | means

    def _add(self, name: str, value: float, count: int) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + value
        self.counts[name] = self.counts.get(name, 0) + count


@dataclass(frozen=True, eq=False)
class Judged:
    """Pairs of the carved part, drawn once, the same for every epoch and every run of one seed.

    Attributes:
        images: [N, 2, S, S] in 1/255.
        change, direction: [N] labels.
        sources: [N] names.
        kinds: [N] kinds of change.
    """

    images: NDArray[np.uint8]
    change: NDArray[np.int64]
    direction: NDArray[np.int64]
    sources: NDArray[np.str_]
    kinds: NDArray[np.str_]


def draw_judged(sources: Sequence[PairSource], pairs: int, size: int, seed: int) -> Judged:
    """Draw `pairs` of each source, going round its pairs where there are fewer."""
    orders = [np.random.default_rng([seed, len(one.weights)]).permutation(len(one.weights)) for one in sources]

    def drawn(place: int) -> Example:
        source, number = divmod(place, pairs)
        order = orders[source]
        return sources[source].pair(int(order[number % len(order)]), np.random.default_rng([seed, number]), size)

    examples = list(made_by_all_cores(drawn, len(sources) * pairs, "drawing pairs to judge by"))
    names = [source.name for source in sources for _ in range(pairs)]
    return Judged(
        np.stack([eight_bits(np.stack(example.images)) for example in examples]),
        np.array([example.change for example in examples]),
        np.array([example.direction for example in examples]),
        np.array(names),
        np.array([example.kind for example in examples]),
    )


def judged_logits(model: nn.Module, images: NDArray[np.uint8], batch: int = 16) -> NDArray[np.float64]:
    """Logits [N, K] of pairs [N, 2, S, S] in 1/255."""
    device = next(model.parameters()).device
    found = []
    for start in range(0, len(images), batch):
        chosen = images[start : start + batch].astype(np.float32) / 255
        pairs = torch.stack([normalised(pair) for pair in chosen]).to(device)
        found.append(model(pairs).detach().double().cpu().numpy())
    return np.concatenate(found)


def figures(judged: Judged, logits: NDArray[np.float64], choice: Mapping[str, float]) -> dict[str, float]:
    """Change AUC by source and by kind (against all pairs without change of the same source), and direction.

    Args:
        judged: N pairs.
        logits: [N, K].
        choice: weight of each source in the figure that the best epoch is chosen by.
    """
    score = logits[:, CHANGE] @ (-1.0, 1.0)
    found: dict[str, float] = {}
    for name in dict.fromkeys(judged.sources.tolist()):
        own = (judged.sources == name) & (judged.change != UNKNOWN)
        found[f"AUC {name}"] = _auc(judged.change[own], score[own])
        for kind in sorted(set(judged.kinds[own & (judged.change == 1)].tolist()) - {""}):
            chosen = own & ((judged.change == 0) | (judged.kinds == kind))
            found[f"AUC {name}, {kind}"] = _auc(judged.change[chosen], score[chosen])
    unchanged = judged.change == 0
    # One half where nothing of the editing is left to be seen.
    control = (judged.kinds == CONTROL)[unchanged].astype(np.int64)
    found["AUC control against other no change"] = _auc(control, score[unchanged])
    known = judged.direction != UNKNOWN
    if logits.shape[1] >= DIRECTION.stop and known.any():
        called = logits[known, DIRECTION] @ (-1.0, 1.0) > 0
        found["direction right"] = float(np.mean(called == judged.direction[known]))
    told = {name: weight for name, weight in choice.items() if np.isfinite(found.get(f"AUC {name}", np.nan))}
    if told:
        found[CHOICE] = sum(weight * found[f"AUC {name}"] for name, weight in told.items()) / sum(told.values())
    return found


def _auc(truth: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    """NaN where only one class is there."""
    return metrics.auc(truth, score) if 0 < truth.sum() < len(truth) else float("nan")

"""What a network answers to many pairs, in batches; answers are kept, so that a killed measurement goes on."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from cxrkit.explain import Method
from cxrkit.explain_pair import explain_pair
from cxrkit.predict import Encoded, probabilities
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import LoadedModel
from train.followup.data import normalised

BATCH = 8
CHUNK = 64
"""Pairs that are read, and kept, together."""

Pair = NDArray[np.float32]
"""[2, S, S] in [0, 1]: baseline and follow-up as the task's prepare gives them before it normalises."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Of N pairs.

    Attributes:
        logits: [N, K].
        matching: [N, stages] cosine of K and Q.
        maps: [N, methods, 2, h, w] by each Method in turn, of change in either image as explain_pair scales it;
            [N, methods, 2, 0, 0] if not asked for.
        maxima: [N, methods, 2] of the raw maps; at most 0 = no evidence for change.
        lesions: [N, 2, h, w] probability of a lesion in either image; [N, 2, 0, 0] if no maps are asked for, or of a
            network without such maps.
    """

    logits: NDArray[np.float64]
    matching: NDArray[np.float64]
    maps: NDArray[np.float32]
    maxima: NDArray[np.float64]
    lesions: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.logits)

    def change(self, temperature: float) -> NDArray[np.float64]:
        """[N] score for change."""
        logits = self.logits[:, : len(FOLLOW_UP.labels)]
        return probabilities(logits, temperature, FOLLOW_UP.activation)[:, FOLLOW_UP.positive_index]

    def further(self, name: str) -> NDArray[np.float64] | None:
        """[N] score for the positive answer to a further question; None where the network has no such output."""
        question = next(one for one in FOLLOW_UP.further if one.name == name)
        if max(question.outputs) >= self.logits.shape[1]:
            return None
        answers = softmax(self.logits[:, list(question.outputs)], axis=1)
        return np.asarray(answers[:, question.labels.index(question.positive)], dtype=np.float64)

    def part(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "Answers":
        """Of some of the pairs."""
        return Answers(**{name: values[which] for name, values in vars(self).items()})


def joined(parts: Iterable[Answers]) -> Answers:
    """Answers one after the other."""
    given = list(parts)
    return Answers(*(np.concatenate([getattr(part, one.name) for part in given]) for one in fields(Answers)))


class Reader:
    """Asks one network.

    Args:
        loaded: the network with its card, whose SHA-256 tells its answers from another's.
        folder: for the answers.
    """

    def __init__(self, loaded: LoadedModel, folder: Path) -> None:
        self.loaded, self.folder = loaded, folder

    def read(self, pairs: Iterable[Pair], *, explain: bool = False) -> Answers:
        """Answers to pairs of images, at least one.

        Args:
            pairs: drawn as needed, CHUNK in memory at a time.
            explain: whether the maps of change are wanted.
        """
        return joined(self._chunk(chunk, explain) for chunk in chunks(pairs))

    def _chunk(self, pairs: NDArray[np.float32], explain: bool) -> Answers:
        """Kept by the pixels themselves: whatever changes them, however little, is read anew."""
        asked = [one.name for one in fields(Answers)] if explain else []
        key = hashlib.sha256(f"{self.loaded.card.sha256} {asked} {pairs.shape}".encode())
        key.update(np.ascontiguousarray(pairs).data)
        file = self.folder / f"answers-{key.hexdigest()[:24]}.npz"
        if not file.is_file():
            found = joined(self._ask(pairs[start : start + BATCH], explain) for start in range(0, len(pairs), BATCH))
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh = file.with_name(f"new-{file.name}")
            np.savez(fresh, **vars(found))
            fresh.replace(file)
        with np.load(file) as stored:
            return Answers(**{name: stored[name] for name in stored.files})

    def _ask(self, pairs: NDArray[np.float32], explain: bool) -> Answers:
        model = self.loaded.model
        with torch.inference_mode(False), torch.no_grad():
            maps, matching = model.compare(torch.stack([normalised(pair) for pair in pairs]))  # type: ignore[operator]
            logits = model.head(maps)  # type: ignore[operator]
        count = len(pairs)
        cams, maxima = np.zeros((count, len(Method), 2, 0, 0), dtype=np.float32), np.zeros((count, len(Method), 2))
        lesions = np.zeros((count, 2, 0, 0), dtype=np.float32)
        if explain:
            encoded = [Encoded(one[None]) for one in maps]
            found = [[explain_pair(self.loaded, one, method=method) for method in Method] for one in encoded]
            cams = np.array([[each.scaled for each in row] for row in found])
            maxima = np.array([[each.maxima for each in row] for row in found])
            if found[0][0].lesions is not None:
                lesions = np.array([row[0].lesions for row in found])
        return Answers(logits.double().numpy(), matching.double().numpy(), cams, maxima, lesions)


def chunks(pairs: Iterable[Pair]) -> Iterator[NDArray[np.float32]]:
    """CHUNK pairs at a time, the last ones fewer."""
    waiting = iter(pairs)
    while chunk := list(islice(waiting, CHUNK)):
        yield np.stack(chunk).astype(np.float32, copy=False)

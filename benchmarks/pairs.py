"""The network of pairs: fused and as written, alone and with the maps of both images, beside plain autograd."""

from dataclasses import replace

import pytorch_grad_cam
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from benchmarks.timing import Actions, in_milliseconds, interleaved, measured
from cxrkit.explain import Method, margin
from cxrkit.explain_pair import raw_pair_maps
from cxrkit.models.cmt import move_biases
from cxrkit.models.fused import FusedMusicVit
from cxrkit.predict import Encoded
from cxrkit.speed import Measurement
from cxrkit.task import Task
from cxrkit.weights import LoadedModel, load_model

GOALS = {512: 1000.0}
"""Most milliseconds that forward and both maps may take, by side of the input."""

SHARE = 0.5
"""Most that ours may take of plain autograd's time."""

ALONE, OURS = "fused, forward alone", "fused, forward and the maps of both images"
AS_WRITTEN = "as written, forward alone"
TO_MAPS = "as written, autograd to the last maps"
PLAIN = "as written, autograd through the whole network"
LIBRARY = "pytorch-grad-cam on the whole network, one hook for both images"


def pairs(task: Task, rounds: int) -> list[Measurement]:
    """Times at the size of the weights and at the source's 512 px, with the same weights moved there."""
    loaded = load_model(task)
    return [row for size in sorted({task.input_size, 512}) for row in compared(loaded, size, rounds)]


def compared(loaded: LoadedModel, size: int, rounds: int) -> list[Measurement]:
    """All ways in turn at one size of the input.

    Args:
        loaded: with a CMT encoder.
        size: side of the input in pixels; the weights are moved to it.
        rounds: all ways once a round.
    """
    seconds = interleaved(_actions(loaded, size), rounds)
    rows = in_milliseconds({f"{size} px: {name}": values for name, values in seconds.items()})
    rows[1] = replace(rows[1], goal=GOALS.get(size))
    for other, goal in ((AS_WRITTEN, None), (TO_MAPS, SHARE), (PLAIN, SHARE), (LIBRARY, None)):
        ratios = [ours / theirs for ours, theirs in zip(seconds[OURS], seconds[other], strict=True)]
        rows.append(measured(f"{size} px: {OURS}, over: {other}", ratios, "times", goal=goal))
    return rows


def _actions(loaded: LoadedModel, size: int) -> Actions:
    model, trainable = (_moved(loaded, size) for _ in range(2))
    model.requires_grad_(False)
    fused = FusedMusicVit(model)  # type: ignore[arg-type]
    resized = replace(loaded, model=model, fused=fused)
    pair = torch.randn(1, 2, 1, size, size, generator=torch.Generator().manual_seed(0))
    positive, count = loaded.task.positive_index, len(loaded.task.labels)

    def target(maps: Tensor) -> Tensor:
        return margin(trainable.head(maps)[0, :count], positive, loaded.task.activation)  # type: ignore[operator]

    def as_written() -> None:
        with torch.no_grad():
            model.compare(pair)  # type: ignore[operator]

    def ours() -> None:
        raw_pair_maps(resized, Encoded(fused.compare(pair)[0]), positive, Method.GRAD_CAM)

    def to_maps() -> None:
        maps = trainable.features(pair)  # type: ignore[operator]
        (gradient,) = torch.autograd.grad(target(maps), maps)
        (gradient.mean(dim=(3, 4), keepdim=True) * maps).sum(dim=2)

    def plain() -> None:
        trainable.zero_grad()
        maps = trainable.features(pair)  # type: ignore[operator]
        maps.retain_grad()
        torch.autograd.backward(target(maps))
        (maps.grad.mean(dim=(3, 4), keepdim=True) * maps).sum(dim=2)

    def library() -> None:
        layer = trainable.encoder.stages[-1]  # type: ignore[union-attr, index]
        with pytorch_grad_cam.GradCAM(model=_OfImages(trainable), target_layers=[layer]) as cam:
            cam(pair[0].clone().requires_grad_(True), [ClassifierOutputTarget(positive)])

    return {
        ALONE: lambda: fused.compare(pair),
        OURS: ours,
        AS_WRITTEN: as_written,
        TO_MAPS: to_maps,
        PLAIN: plain,
        LIBRARY: library,
    }


class _OfImages(nn.Module):
    """The network as the library takes it: images [2, 1, S, S] -> logits [1, K]."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(images[None])
        return logits


def _moved(loaded: LoadedModel, size: int) -> nn.Module:
    """A copy of the network for another input size."""
    model = loaded.task.build_model({**loaded.card.model, "image_size": size})
    model.load_state_dict(move_biases(loaded.model.state_dict(), model))
    return model.eval()

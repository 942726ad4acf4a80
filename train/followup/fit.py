"""Train the follow-up network: settings, stages of growing image size, and the epoch that is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import lightning
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cxrkit.models.cmt import move_biases
from cxrkit.models.music_vit import Matching, MusicVit
from train.epochs import PROGRESS, earlier, write_row
from train.followup.data import FULL, GENTLE, Difficulty, mixture_loader
from train.followup.drawn import drawn_loader, fits
from train.followup.losses import Batch, Lambdas, Learner, losses
from train.followup.material import Material
from train.followup.pretrain import start_from
from train.followup.progress import CHOICE, Recorder, draw_judged, figures, judged_logits
from train.identity import Identity, begun, identity_of, keep_identity
from train.stages import Stage, stages_in_words
from train.stored import BEST, HISTORY, initialisation, save
from train.trainer import FitSettings, Judge, Loss, fit, is_first_process


@dataclass(frozen=True)
class Settings:
    """Of one training run.

    Attributes:
        encoder, matching, disease, direction, difference, lesions: of the network; see MusicVit.
        lambdas: weights of the further losses.
        stages: side, epochs and pairs an epoch of each, from small images to those that the network will read; short
            epochs, because a killed run goes on at its last whole epoch.
        batch: pairs of a batch (the source's 14).
        learning_rate: peak of the first stage's cycle; the source's 1e-5 does not get far from scratch.
        later: factor on the peak from stage to stage.
        weight_decay: of AdamW.
        ema_decay: of the averaged weights.
        smoothing: of the labels of change.
        first: difficulty of the first of several stages; the others have all of it.
        shares: of each kind of pairs in an epoch; what is not there is left out.
        choice: weight of each kind's AUC in choosing the best epoch; the real pairs carved out are few.
        judged: pairs of each source that an epoch is judged on.
        simulated: patients to simulate.
        alike: vary both images of a real pair by one transform, as the source does.
        workers: processes that make pairs.
        seed: of initialisation, division of patients, and draws.
        init: safetensors file to start from, such as `pretrain` writes.
        pretrained: start from timm's ImageNet weights (downloads them); not of CMT.
    """

    encoder: str = "cmt_ti"
    matching: Matching = "similar"
    disease: bool = True
    direction: bool = True
    difference: bool = True
    lesions: bool = True
    lambdas: Lambdas = field(default_factory=Lambdas)
    stages: tuple[Stage, ...] = ((128, 8, 5000), (256, 6, 4000), (320, 3, 3000))
    batch: int = 14
    learning_rate: float = 3e-4
    later: float = 0.6
    weight_decay: float = 0.05
    ema_decay: float = 0.995
    smoothing: float = 0.05
    first: Difficulty = GENTLE
    shares: Mapping[str, float] = field(
        default_factory=lambda: {"made": 0.76, "real": 0.05, "successive": 0.11, "simulated": 0.08}
    )
    choice: Mapping[str, float] = field(default_factory=lambda: {"made": 0.7, "successive": 0.15, "real": 0.15})
    judged: int = 120
    simulated: int = 400
    alike: bool = False
    workers: int = 1
    seed: int = 0
    init: Path | None = None
    pretrained: bool = False

    @property
    def image_size(self) -> int:
        """What the network reads in the end."""
        return self.stages[-1][0]


def network_settings(settings: Settings) -> dict[str, Any]:
    """What `cxrkit.tasks.followup.build_model` needs."""
    return {
        "encoder": settings.encoder,
        "image_size": settings.image_size,
        "matching": settings.matching,
        "disease": settings.disease,
        "direction": settings.direction,
        "difference": settings.difference,
        "lesions": settings.lesions,
    }


def train_network(
    material: Material, settings: Settings, how: FitSettings, run: Path, drawn: Path | None = None
) -> nn.Module:
    """Train through all stages, or go on where a killed run stopped.

    Args:
        material: what is learned from.
        settings: of the training.
        how: hardware and precision.
        run: folder for checkpoints and the best weights.
        drawn: folder where drawn pairs are kept for other runs on this material; None = each run draws its own.

    Returns:
        The network of the last stage's best epoch, with its averaged weights, in eval mode.

    Raises:
        InputError: the folder holds a run of other settings or pairs.
    """
    if is_first_process():
        keep_identity(run, _identity(material, settings), begun=begun(run))
    state: dict[str, Tensor] = {}
    for number in range(len(settings.stages)):
        model = _at_stage(settings, number, state)
        _train_stage(model, material, settings, number, how, run, drawn)
        state = dict(model.state_dict())
    network = model.network
    network.load_state_dict(load_file(run / BEST))
    return network.eval()


def _at_stage(settings: Settings, number: int, state: Mapping[str, Tensor]) -> Learner:
    """The network as the stage before left it, or as it starts."""
    lightning.seed_everything(settings.seed + number, verbose=False)
    network = MusicVit(
        settings.encoder,
        settings.stages[number][0],
        settings.matching,
        disease=settings.disease,
        direction=settings.direction,
        difference=settings.difference,
        lesions=settings.lesions,
        pretrained=settings.pretrained and number == 0,
    )
    learner = Learner(network)
    if state:
        learner.load_state_dict(move_biases(state, learner))
    elif settings.init:
        start_from(network, settings.init)
    return learner


def _train_stage(
    model: Learner, material: Material, settings: Settings, number: int, how: FitSettings, run: Path, drawn: Path | None
) -> None:
    size, epochs, _ = settings.stages[number]
    loader = _loader(material, settings, number, drawn)
    how = replace(
        how,
        epochs=epochs,
        learning_rate=settings.learning_rate * settings.later**number,
        weight_decay=settings.weight_decay,
        ema_decay=settings.ema_decay,
    )
    recorder = Recorder([source.name for source in material.training])
    judge = _judge(material, settings, number, recorder, run)
    identity = _identity(material, settings)
    fit(model, recorded_loss(settings, recorder), loader, how, run / f"stage_{number}_{size}", identity, judge)


def _identity(material: Material, settings: Settings) -> Identity:
    return identity_of(settings, [source.identity for source in material.training])


def _loader(material: Material, settings: Settings, number: int, drawn: Path | None) -> DataLoader[Batch]:
    stage = settings.stages[number]
    size, _, pairs = stage
    shares = material.by_source(settings.shares, material.training)
    seed = settings.seed + number
    difficulty = settings.first if number == 0 and len(settings.stages) > 1 else FULL
    how = (settings.batch, seed, settings.workers, difficulty)
    if drawn is not None and fits(stage):
        return drawn_loader(material.training, shares, stage, *how, drawn)
    return mixture_loader(material.training, shares, size, pairs, *how)


def recorded_loss(settings: Settings, recorder: Recorder) -> Loss:
    """The total loss of a batch; its parts go to the recorder."""

    def loss(model: nn.Module, batch: Any) -> Tensor:
        found = losses(model, Batch(*batch), settings.smoothing)  # type: ignore[arg-type]
        recorder.add(batch, found, settings.lambdas)
        return found.total(settings.lambdas)

    return loss


def _judge(material: Material, settings: Settings, number: int, recorder: Recorder, run: Path) -> Judge:
    """Write an epoch's row, and in the last stage keep the weights of the best epoch."""
    size = settings.stages[number][0]
    drawn = cache(lambda: draw_judged(material.carved, settings.judged, size, settings.seed))
    choice = material.by_source(settings.choice, material.carved)

    def judge(model: nn.Module, epoch: int) -> None:
        if not is_first_process():
            return
        judged = drawn()
        found = figures(judged, judged_logits(model, judged.images), choice)
        row = {"stage": number, "size": size, "epoch": epoch} | recorder.means() | found
        recorder.clear()
        before = earlier(run / PROGRESS, number, epoch, CHOICE)
        write_row(run / PROGRESS, row)
        print(*(f"{name} {value:.4g}" for name, value in row.items()), sep="; ", flush=True)
        if number == len(settings.stages) - 1 and found[CHOICE] >= max(before, default=0.0):
            save(model.network, run / BEST, {HISTORY: history(settings)})  # type: ignore[arg-type]

    return judge


def history(settings: Settings) -> str:
    """How a network was trained, in words."""
    stages = stages_in_words(settings.stages)
    return f"pairs ({stages}), started from {initialisation(settings.init, pretrained=settings.pretrained)}"

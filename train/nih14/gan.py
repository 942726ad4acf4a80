"""The self-supervised GAN: a generator, and a discriminator that also tells findings and rotations (methods section 5).

Every step of a run follows from its seed and its number, so a killed run goes on as it would have.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from cxrkit.errors import InputError, WeightsError
from cxrkit.models.gan import LATENT, SIZES, Discriminator, Generator, Trunk
from cxrkit.tasks.nih14 import LABELS
from train.epochs import PROGRESS, write_row
from train.nih14.data import UNKNOWN, Pool, seen_at
from train.nih14.grids import keep_grid, keep_stages
from train.nih14.losses import ADVERSARIES, PENALTY, Reading, Regime, findings_loss, gradient_penalty, turned
from train.stored import HISTORY, save
from train.trainer import keep_freed_memory

DISCRIMINATOR, GENERATOR, TRUNK = "discriminator.safetensors", "generator.safetensors", "trunk.safetensors"
"""In the run's folder; the last has the names that the trunk has in the classifier."""

_CHECKPOINT = "last.pt"
_SIZE, _REGIME = "size", "regime"


@dataclass(frozen=True)
class GanSettings:
    """Of one run; the defaults are the source's, but for these **choices**: 64 px, a sixteenth of its 256's pixels, as
    the trunk that is kept reads any size; a quarter of a batch with labels; the rotation losses' weights.

    Attributes:
        size: side of the images, one of SIZES.
        iterations, batch: steps of either side, and images of each.
        generator_rate, discriminator_rate: of Adam, betas 0.5 and 0.999.
        regime: how real and generated images are told apart.
        reading: of the label head.
        turns, generator_turns: weights of the rotation loss in the discriminator, and in the generator (SS-GAN, Chen et
            al. 2019: 1 and 0.2).
        labelled: share of a batch that has labels.
        every: iterations between two rows of progress and two checkpoints.
        grids: how many grids of images, at stages twice as late each.
        seed: of initialisation and draws.
    """

    size: int = 64
    iterations: int = 1000
    batch: int = 64
    generator_rate: float = 2e-4
    discriminator_rate: float = 1e-4
    regime: Regime = Regime.BCE
    reading: Reading = Reading.SIGMOID
    turns: float = 1.0
    generator_turns: float = 0.2
    labelled: float = 0.25
    every: int = 20
    grids: int = 6
    seed: int = 0

    def check(self) -> None:
        """Raise InputError for settings that cannot be used."""
        if self.size not in SIZES:
            raise InputError(f"The GAN makes images of {self.size} pixels here; choose one of {SIZES}.")
        if min(self.iterations, self.batch, self.every, self.grids) < 1 or self.batch < 4:
            raise InputError("Iterations, steps between rows and grids have to be at least 1, and a batch at least 4.")

    def stages(self) -> list[int]:
        """Iterations after which a grid is kept: the first, and then twice as late each, to the last."""
        return sorted({max(1, self.iterations // 2**number) for number in range(self.grids)})


class Duel:
    """Both networks and their optimisers.

    Args:
        settings: of the run.
        device: where it computes.
        images: what tells the images that it learns from, from others.
    """

    def __init__(self, settings: GanSettings, device: torch.device, images: str = "") -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.done = settings, 0
        self.identity = _identity(settings) | {"images": images}
        self.generator = Generator(settings.size).to(device)
        self.discriminator = Discriminator(len(LABELS)).to(device)
        betas = (0.5, 0.999)
        self.optimisers = (
            torch.optim.Adam(self.discriminator.parameters(), settings.discriminator_rate, betas),
            torch.optim.Adam(self.generator.parameters(), settings.generator_rate, betas),
        )

    def step(self, images: Tensor, target: Tensor) -> dict[str, float]:
        """One step of either side.

        Args:
            images: [N, 1, S, S] in [-1, 1].
            target: [N, 14], UNKNOWN where nobody knows.

        Returns:
            Losses, the discriminator's mean answer to real and generated images, norms of both gradients.
        """
        noise = torch.randn(len(images), LATENT, device=images.device)
        fake = self.generator(noise)
        return self._discriminate(images, target, fake.detach()) | self._generate(fake)

    def _discriminate(self, images: Tensor, target: Tensor, fake: Tensor) -> dict[str, float]:
        settings, (views, which) = self.settings, turned(images)
        # All at once: spectral norm, which each forward pass works out anew, takes most of the time of a small batch.
        answers, findings, turns = self.discriminator(torch.cat([images, fake, views]))
        real, answer, _ = answers.chunk(3)
        adversarial = ADVERSARIES[settings.regime].discriminator(real, answer)
        if settings.regime is Regime.WGAN_GP:
            adversarial = adversarial + PENALTY * gradient_penalty(lambda x: self.discriminator(x)[0], images, fake)
        labels = findings_loss(findings[: len(images)], target, settings.reading)
        rotation = functional.cross_entropy(turns[-len(images) :], which)
        norm = _step(self.optimisers[0], self.discriminator, adversarial + labels + settings.turns * rotation)
        linear = settings.regime is Regime.WGAN_GP
        told = {"real": real, "fake": answer}
        return {
            "loss of discriminator": adversarial.item(),
            "loss of labels": labels.item(),
            "loss of rotation": rotation.item(),
            **{f"D of {name}": (each if linear else each.sigmoid()).mean().item() for name, each in told.items()},
            "gradient of discriminator": norm,
        }

    def _generate(self, fake: Tensor) -> dict[str, float]:
        views, which = turned(fake)
        answers, _, turns = self.discriminator(torch.cat([fake, views]))
        adversarial = ADVERSARIES[self.settings.regime].generator(answers[: len(fake)])
        rotation = functional.cross_entropy(turns[len(fake) :], which)
        norm = _step(self.optimisers[1], self.generator, adversarial + self.settings.generator_turns * rotation)
        return {"loss of generator": adversarial.item(), "gradient of generator": norm}

    def state(self) -> dict[str, object]:
        """All that a run goes on from."""
        return {
            "done": self.done,
            "settings": self.identity,
            "networks": [self.generator.state_dict(), self.discriminator.state_dict()],
            "optimisers": [each.state_dict() for each in self.optimisers],
        }

    def resume(self, file: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            InputError: it is of other settings or images, or of more iterations than are asked for.
        """
        stored = torch.load(file, map_location="cpu", weights_only=False)
        if stored["settings"] != self.identity:
            raise InputError(
                "The run's folder holds a GAN of other settings or images. Give another --run, or remove it."
            )
        if stored["done"] > self.settings.iterations:
            raise InputError(
                f"The run's folder holds a GAN of {stored['done']:,} iterations already. Ask for as many, or give "
                "another --run."
            )
        for network, state in zip((self.generator, self.discriminator), stored["networks"], strict=True):
            network.load_state_dict(state)
        for optimiser, state in zip(self.optimisers, stored["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.done = stored["done"]


def _identity(settings: GanSettings) -> dict[str, object]:
    """What has to be the same; a longer run goes on from a shorter one."""
    return {
        name: str(value) for name, value in asdict(settings).items() if name not in ("iterations", "every", "grids")
    }


def _step(optimiser: torch.optim.Optimizer, network: nn.Module, loss: Tensor) -> float:
    """One step down the loss; norm of its gradient.

    Raises:
        InputError: the loss is not finite.
    """
    if not torch.isfinite(loss):
        raise InputError("The GAN's loss is not finite: it diverged. Take lower learning rates, or the other regime.")
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    norm = float(nn.utils.get_total_norm([weight.grad for weight in network.parameters() if weight.grad is not None]))
    optimiser.step()
    return norm


def train_gan(
    pool: Pool, settings: GanSettings, run: Path, accelerator: str = "auto", show: Callable[[str], None] = print
) -> None:
    """Train, or go on where a killed run stopped.

    Args:
        pool: prepared radiographs.
        settings: of the run.
        run: folder for checkpoint, progress.csv, grids, DISCRIMINATOR, GENERATOR, TRUNK, and the stages for the page.
        accelerator: "cpu", "cuda", or "auto".
        show: is told how far the run is.

    Raises:
        InputError: settings that cannot be used, a run of other settings in the folder, or a loss that is not finite.
    """
    settings.check()
    keep_freed_memory()
    cuda = accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available()
    images = hashlib.sha256(pool.views.tobytes() + pool.target.tobytes()).hexdigest()
    duel = Duel(settings, torch.device("cuda" if cuda else "cpu"), images)
    run.mkdir(parents=True, exist_ok=True)
    if (run / _CHECKPOINT).is_file():
        duel.resume(run / _CHECKPOINT)
    rows: list[dict[str, float]] = []
    for number in tqdm(range(duel.done + 1, settings.iterations + 1), desc="GAN"):
        rows.append(duel.step(*_batch(pool, settings, number, cuda=cuda)))
        duel.done = number
        if number in settings.stages():
            keep_grid(duel.generator, run, number, settings.seed)
        if number % settings.every == 0 or number == settings.iterations:
            row = {name: float(np.mean([each[name] for each in rows])) for name in rows[0]}
            write_row(run / PROGRESS, {"stage": "gan", "epoch": number} | row)
            show("; ".join([f"iteration {number}", *(f"{name} {value:.3g}" for name, value in row.items())]))
            rows.clear()
            _keep(duel, run)
    keep_stages(run, settings.stages())
    told = pool.told() | {HISTORY: history(settings, len(pool))}
    save(duel.generator, run / GENERATOR, told | {_SIZE: str(settings.size)})
    save(duel.discriminator, run / DISCRIMINATOR, told | {_REGIME: str(settings.regime)})
    save(as_in_classifier(duel.discriminator.trunk), run / TRUNK, told)


def as_in_classifier(trunk: Trunk) -> nn.Module:
    """The trunk under the names that it has in cxrkit.models.ssgan_vit."""
    return nn.ModuleDict({"adversary": nn.ModuleDict({"trunk": trunk})})


def stored_generator(run: Path) -> Generator:
    """The generator of a finished run, frozen and in eval mode.

    Raises:
        WeightsError: the folder holds none.
    """
    file = run / GENERATOR
    if not file.is_file():
        raise WeightsError("The GAN's folder holds no generator. Make one with: python -m train.nih14 gan")
    with safe_open(file, framework="pt") as stored:
        generator = Generator(int(stored.metadata()[_SIZE]))
    generator.load_state_dict(load_file(file))
    return generator.eval().requires_grad_(False)


def stored_discriminator(run: Path) -> tuple[Discriminator, Regime]:
    """The discriminator of a finished run, frozen and in eval mode, and how it was taught to tell images apart."""
    with safe_open(run / DISCRIMINATOR, framework="pt") as stored:
        # Runs of before this was kept are read as they were then.
        regime = Regime((stored.metadata() or {}).get(_REGIME, Regime.BCE))
    discriminator = Discriminator(len(LABELS))
    discriminator.load_state_dict(load_file(run / DISCRIMINATOR))
    return discriminator.eval().requires_grad_(False), regime


def history(settings: GanSettings, images: int) -> str:
    """How the GAN was trained, in words."""
    steps = f"{settings.iterations:,} x {settings.batch} at {settings.size} px"
    reading = ", labels read as one whole" if settings.reading is Reading.SOFTMAX else ""
    return f"SS-GAN ({steps}, {settings.regime}{reading}, {images:,} images)"


def _batch(pool: Pool, settings: GanSettings, number: int, *, cuda: bool) -> tuple[Tensor, Tensor]:
    """Images in [-1, 1] and their labels; the step's own random numbers are set too."""
    torch.manual_seed(settings.seed * 1_000_003 + number)
    random = np.random.default_rng([settings.seed, number])
    labelled, others = (np.flatnonzero(which) for which in (_known(pool), ~_known(pool)))
    count = min(round(settings.labelled * settings.batch), settings.batch) if len(others) else settings.batch
    which = [random.choice(labelled, count), random.choice(others, settings.batch - count)] if len(others) else None
    drawn = random.choice(labelled, count) if which is None else np.concatenate(which)
    # Not augmented: what would come in from outside an image would be drawn by the generator too.
    views = np.stack([seen_at(pool.views[index], settings.size) for index in drawn])
    images, target = torch.from_numpy(views)[:, None] * 2 - 1, torch.from_numpy(pool.target[drawn])
    return (images.cuda(), target.cuda()) if cuda else (images, target)


def _known(pool: Pool) -> NDArray[np.bool_]:
    return np.asarray(pool.target[:, 0] != UNKNOWN)


def _keep(duel: Duel, run: Path) -> None:
    fresh = run / "new.pt"
    torch.save(duel.state(), fresh)
    fresh.replace(run / _CHECKPOINT)

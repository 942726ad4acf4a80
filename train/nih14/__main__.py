"""Train chest findings: SS-GAN-ViT (methods section 5).

python -m train.nih14 gan --data FOLDER --unlabelled FOLDER ...       generator and discriminator: RUN/gan
python -m train.nih14 pretrain --data FOLDER --unlabelled FOLDER ...  self-supervision of both kinds: RUN/pretrain
python -m train.nih14 weights --data FOLDER      fine-tunes what the app loads, from both, and measures it
python -m train.nih14 measure --data FOLDER      measures it again: card
python -m train.nih14 boxes --data FOLDER        heatmaps against radiologists' boxes, by networks of folds: card
python -m train.nih14 study --data FOLDER        EfficientNet-b4 and ViT, each with and without the SS-GAN

Each goes on where a killed run stopped. --data is ChestX-ray14 as it is published, or a folder with labels.csv (file,
findings joined by the bar, patient_id, split); --unlabelled are further folders of frontal chest radiographs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cxrkit.card import WEIGHTS
from cxrkit.tasks.nih14 import SIZE
from train.nih14.boxes import measure_boxes
from train.nih14.card import make_weights, measure_again
from train.nih14.data import Material, Pool, read_material, read_pool
from train.nih14.fit import Settings, network_of
from train.nih14.gan import TRUNK, GanSettings, train_gan
from train.nih14.laboratory import Laboratory
from train.nih14.losses import Reading, Regime
from train.nih14.parts import leak
from train.nih14.pretrain import VIT, PretrainSettings, pretrain_trunk, pretrain_vit
from train.nih14.study import Starts, four_models, scale_of
from train.options import Cache, Device, Out, Pretrained, StudyOptions, StudyRun, grouped, show

app = typer.Typer(add_completion=False, no_args_is_help=True)

_RUN = Path("runs/nih14")
_TAUGHT_RUN = _RUN / "pretrain"
_GAN, _TUNE, _TAUGHT = GanSettings(), Settings(), PretrainSettings(SIZE)

Data = Annotated[Path, typer.Option(help="Folder of the labelled set.")]
Unlabelled = Annotated[list[Path] | None, typer.Option(help="Folder of further chest radiographs, learned from too.")]
Run = Annotated[Path, typer.Option(help="Folder of all stages: RUN/gan, RUN/pretrain, RUN/tune and RUN/folds.")]
TrunkSize = Annotated[int, typer.Option(help="Side in pixels of what the trunk reads.")]
Workers = Annotated[int, typer.Option(help="Processes that prepare batches.")]
Epochs = Annotated[int, typer.Option(help="Passes over the images learned from.")]
OutputsRead = Annotated[
    Reading, typer.Option(help="Each label by itself, or, as the source literally says, shares of one whole.")
]
Taught = Annotated[
    Path | None,
    typer.Option(
        help=f"Folder of the self-supervision's run; {_TAUGHT_RUN} where it has both parts, else only the GAN's. The "
        "budget's encoder has to have been taught: full needs pretrain --encoder vit_base_patch16_224."
    ),
]
ByImage = Annotated[bool, typer.Option("--by-image", help="Divide image by image: patients leak, as in the source.")]


@dataclass(frozen=True)
class Tuning:
    """How a classifier is fine-tuned from what RUN holds."""

    encoder: Annotated[str, typer.Option(help="Its name in timm.")] = _TUNE.network["encoder"]
    fusion: Annotated[str, typer.Option(help="concat, token or none.")] = _TUNE.network["fusion"]
    trunk_size: TrunkSize = _TUNE.network["trunk_size"]
    epochs: Epochs = _TUNE.epochs
    batch: int = _TUNE.batch
    learning_rate: float = _TUNE.learning_rate
    warm: Annotated[float, typer.Option(help="Share of the steps in which the learning rate rises.")] = _TUNE.warm
    ema_decay: float = _TUNE.ema_decay
    adversarial: Annotated[float, typer.Option(help="Weight of L_adv; 0 = without.")] = _TUNE.adversarial
    workers: Workers = _TUNE.workers
    seed: int = _TUNE.seed
    pretrained: Pretrained = False
    init: Annotated[Path | None, typer.Option(help="safetensors file to start from, instead of RUN's.")] = None

    def settings(self, run: Path) -> Settings:
        """With those parts of RUN that are there."""
        network = {"encoder": self.encoder, "fusion": self.fusion, "trunk_size": self.trunk_size}
        vit, trunk = run / "pretrain" / VIT, run / "pretrain" / TRUNK
        return Settings(
            network=network,
            size=SIZE,
            epochs=self.epochs,
            batch=self.batch,
            learning_rate=self.learning_rate,
            warm=self.warm,
            ema_decay=self.ema_decay,
            adversarial=self.adversarial,
            gan=run / "gan" if (run / "gan" / TRUNK).is_file() and self.fusion != "none" else None,
            workers=self.workers,
            seed=self.seed,
            pretrained=self.pretrained,
            init=self.init,
            vit=vit if vit.is_file() else None,
            trunk=trunk if trunk.is_file() else None,
        )


@dataclass(frozen=True)
class FindingsStudy(StudyOptions):
    """With the task's own folder."""

    run: StudyRun = Path("runs/nih14_study")


@app.callback()
def main() -> None:
    """Train and study chest findings."""


@app.command()
@grouped
def gan(
    data: Data,
    unlabelled: Unlabelled = None,
    run: Run = _RUN,
    cache: Cache = None,
    size: Annotated[int, typer.Option(help="Side of the images: 64, 128 or 256.")] = _GAN.size,
    iterations: int = _GAN.iterations,
    batch: int = _GAN.batch,
    generator_rate: float = _GAN.generator_rate,
    discriminator_rate: float = _GAN.discriminator_rate,
    regime: Annotated[Regime, typer.Option(help="How real and generated images are told apart.")] = _GAN.regime,
    reading: OutputsRead = _GAN.reading,
    seed: int = _GAN.seed,
    accelerator: str = "auto",
) -> None:
    """Train generator and discriminator; grids of images and progress.csv show how stable it is."""
    settings = GanSettings(
        size=size,
        iterations=iterations,
        batch=batch,
        generator_rate=generator_rate,
        discriminator_rate=discriminator_rate,
        regime=regime,
        reading=reading,
        seed=seed,
    )
    pool = _pool(data, unlabelled, cache or run / "cache")
    train_gan(pool, settings, run / "gan", accelerator, typer.echo)


@app.command()
@grouped
def pretrain(
    data: Data,
    unlabelled: Unlabelled = None,
    run: Run = _RUN,
    cache: Cache = None,
    encoder: Annotated[str, typer.Option(help="Of the transformer.")] = _TAUGHT.encoder,
    trunk_size: TrunkSize = _TUNE.network["trunk_size"],
    trunk_epochs: Annotated[
        int, typer.Option(help="Of rotation and NT-Xent; 0 = the trunk stays as the GAN left it.")
    ] = (_TAUGHT.epochs),
    vit_epochs: Annotated[int, typer.Option(help="Of masked patches and triplets; 0 = from scratch.")] = _TAUGHT.epochs,
    images: Annotated[int, typer.Option(help="An epoch draws this many.")] = _TAUGHT.images,
    batch: int = _TAUGHT.batch,
    learning_rate: float = _TAUGHT.learning_rate,
    workers: Workers = _TAUGHT.workers,
    seed: int = _TAUGHT.seed,
    *,
    device: Device,
) -> None:
    """Self-supervision of the trunk (from RUN/gan on, where that is there) and of the transformer."""
    pool = _pool(data, unlabelled, cache or run / "cache")
    folder, started = run / "pretrain", run / "gan" if (run / "gan" / TRUNK).is_file() else None

    def settings(size: int, epochs: int) -> PretrainSettings:
        return PretrainSettings(
            size=size,
            epochs=epochs,
            images=images,
            batch=batch,
            learning_rate=learning_rate,
            encoder=encoder,
            workers=workers,
            seed=seed,
        )

    if trunk_epochs:
        pretrain_trunk(pool, settings(trunk_size, trunk_epochs), device.settings(), folder, started)
    if vit_epochs:
        pretrain_vit(pool, settings(SIZE, vit_epochs), device.settings(), folder)


@app.command()
@grouped
def weights(
    data: Data,
    out: Out = WEIGHTS,
    run: Run = _RUN,
    cache: Cache = None,
    *,
    by_image: ByImage = False,
    tuning: Tuning,
    device: Device,
) -> None:
    """Fine-tune (best epoch: RUN/tune/best.safetensors), measure, write OUT/nih14: weights, card and curves."""
    if by_image:
        _warn(read_material(data, cache or run / "cache", SIZE, by_image=True))
    settings = tuning.settings(run)
    make_weights(data, run / "tune", cache or run / "cache", settings, device.settings(), out, by_image=by_image)


@app.command()
def measure(data: Data, out: Out = WEIGHTS, run: Run = _RUN, cache: Cache = None) -> None:
    """Measure the stored weights again and write their card anew."""
    measure_again(data, cache or run / "cache", out)


@app.command()
@grouped
def boxes(
    data: Data,
    boxes: Annotated[Path | None, typer.Option(help="Table of boxes; DATA/boxes.csv if not given.")] = None,
    out: Out = WEIGHTS,
    run: Run = _RUN,
    cache: Cache = None,
    folds: Annotated[int, typer.Option(help="Networks to train, each without a part of the patients.")] = 3,
    *,
    tuning: Tuning,
    device: Device,
) -> None:
    """How often heatmaps of Pneumonia hit radiologists' boxes, by networks fine-tuned on other patients."""
    table, settings = boxes or data / "boxes.csv", tuning.settings(run)
    found = measure_boxes(data, table, run / "folds", cache or run / "cache", settings, device.settings(), out, folds)
    show([{one.name: f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})", "images": one.cases} for one in found])


@app.command()
@grouped
def study(
    data: Data,
    gan: Annotated[Path, typer.Option(help="Folder of the GAN's run.")] = _RUN / "gan",
    taught: Taught = None,
    trunk_size: TrunkSize = _TUNE.network["trunk_size"],
    out: Out = WEIGHTS,
    reading: OutputsRead = _TUNE.reading,
    *,
    pretrained: Pretrained = False,
    by_image: ByImage = False,
    study: FindingsStudy,
    device: Device,
) -> None:
    """EfficientNet-b4, SS-GAN + EfficientNet-b4, ViT, SS-GAN + ViT on the same split: macro AUC, weighted F1."""
    starts = Starts(gan, taught or _taught(_TAUGHT_RUN))
    scale = scale_of(study.budget, starts, trunk_size, reading, pretrained=pretrained)
    if starts.pretrained is not None:
        network_of(scale.settings)  # what was taught to another encoder is refused now, not after days of other cells
    material = read_material(data, study.cache or study.run / "cache", SIZE, by_image=by_image)
    if by_image:
        _warn(material)
    laboratory = Laboratory(material, study.run, device.settings(), out)
    study.conduct(laboratory, four_models(scale, by_image=by_image), scale.repeats)


def _taught(run: Path) -> Path | None:
    """The folder, if self-supervision has left both its parts there."""
    return run if (run / VIT).is_file() and (run / TRUNK).is_file() else None


def _pool(data: Path, unlabelled: list[Path] | None, cache: Path) -> Pool:
    return read_pool(read_material(data, cache, SIZE), unlabelled or [], cache, SIZE)


def _warn(material: Material) -> None:
    patients, images = leak(material.parts)
    typer.echo(
        f"Divided image by image: {patients} patients are in training and among those that report, and {images} of the "
        f"{len(material.parts.reporting)} images that report are theirs. The figures are too good for new patients.",
        err=True,
    )


if __name__ == "__main__":
    app()

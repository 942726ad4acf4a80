"""Train bone age (methods section 3).

python -m train.bone_age weights --data FOLDER    trains what the app loads and measures it
python -m train.bone_age measure --data FOLDER    measures it again: card
python -m train.bone_age resnet --data FOLDER     a plain ResNet-18 on the same data, beside it on the card
python -m train.bone_age ablation|compare|transfer --data FOLDER   studies: parts left out, networks, frozen blocks
python -m train.bone_age figures --data FOLDER    maps, error by age, weights of the given sex

Training goes on where a killed run stopped. FOLDER is a data set that train.bone_age.sources can read: the RSNA bone
age challenge as it is given out, labels.csv with files at 100 pixels and larger, or a table with file, age_months, sex.
"""

from pathlib import Path
from typing import Annotated

import typer

from cxrkit.card import WEIGHTS
from cxrkit.errors import InputError
from train.bone_age.card import make_weights, measure_again
from train.bone_age.fit import Settings
from train.bone_age.losses import LossSettings
from train.bone_age.networks import NetworkSettings
from train.bone_age.study_commands import Data, commands
from train.options import Cache, Device, Init, Out, Stages, grouped
from train.stages import read_stages

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(commands)

_DEFAULT = Settings()
_RUN = Path("runs/bone_age")


@app.callback()
def main() -> None:
    """Train and study bone age."""


@app.command()
@grouped
def weights(
    data: Data,
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder for checkpoints, progress.csv and the best weights.")] = _RUN,
    cache: Cache = None,
    init: Init = None,
    stages: Stages = "",
    early_epochs: Annotated[int, typer.Option(help="First epochs on reduced images.")] = _DEFAULT.early_epochs,
    early_size: Annotated[int, typer.Option(help="Side of these.")] = _DEFAULT.early_size,
    large: Annotated[str, typer.Option(help="Share of larger images in each stage, separated by commas.")] = "",
    batch: int = _DEFAULT.batch,
    learning_rate: float = _DEFAULT.learning_rate,
    later: Annotated[float, typer.Option(help="Factor on the rate from stage to stage.")] = _DEFAULT.later,
    sex_loss: float = _DEFAULT.loss.sex,
    spread: Annotated[float, typer.Option(help="Of the soft labels, in months; 0 = none.")] = _DEFAULT.loss.spread,
    expectation: Annotated[float, typer.Option(help="Weight of the expectation term.")] = _DEFAULT.loss.expectation,
    balanced: Annotated[bool, typer.Option(help="Weigh by the inverse frequency of the age class.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that change pictures.")] = _DEFAULT.workers,
    seed: int = _DEFAULT.seed,
    *,
    device: Device,
) -> None:
    """Train TJ-Net (best epoch: RUN/best.safetensors), measure it, write OUT/bone_age: weights and card."""
    settings = Settings(
        network=NetworkSettings(),
        loss=LossSettings(sex_loss, spread, expectation, balanced),
        stages=read_stages(stages) if stages else _DEFAULT.stages,
        early_epochs=early_epochs,
        early_size=early_size,
        large=read_shares(large) if large else _DEFAULT.large,
        batch=batch,
        learning_rate=learning_rate,
        later=later,
        workers=workers,
        seed=seed,
        init=init,
    )
    make_weights(data, run, cache or run / "cache", settings, device.settings(), out)


@app.command()
def measure(
    data: Data,
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder of the training run.")] = _RUN,
    cache: Cache = None,
) -> None:
    """Measure the stored weights again and write their card anew."""
    measure_again(data, cache or run / "cache", out)


def read_shares(text: str) -> tuple[float, ...]:
    """ "0.1,0.5" -> (0.1, 0.5).

    Raises:
        InputError: anything else than shares in [0, 1].
    """
    try:
        shares = tuple(float(share) for share in text.split(","))
    except ValueError:
        shares = ()
    if not shares or not all(0 <= share <= 1 for share in shares):
        raise InputError(f"The shares are “{text}”; write one from 0 to 1 for each stage, such as 0.1,0.5.")
    return shares


if __name__ == "__main__":
    app()

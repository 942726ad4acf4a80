"""Train follow-up comparison (methods section 1).

python -m train.followup weights --data FOLDER --data FOLDER ...   trains what the app loads and measures it
python -m train.followup measure --data FOLDER --data FOLDER ...   measures it again: card
python -m train.followup pretrain --tuberculosis FOLDER --nih FOLDER   a supervised start of its encoder
python -m train.followup moco --data FOLDER ...                    a start without labels, by MoCo v2
python -m train.followup compare|ablation|lambdas --data FOLDER ...   studies of encoders, parts, weights of losses
python -m train.followup starts --data FOLDER ... --supervised FILE   study of where training starts from

Training goes on where a killed run stopped. Each FOLDER is a data set that train.followup.parts can read: ChestX-ray14,
CheXpert, labels.csv with findings, target or offset_days, or a table of pairs. How to train on several GPUs or nodes:
--devices, --nodes, --strategy, which are Lightning's.
"""

from pathlib import Path
from typing import Annotated

import typer

from cxrkit.card import WEIGHTS
from train.followup.card import make_weights, measure_again
from train.followup.data import FULL, GENTLE
from train.followup.fit import Settings
from train.followup.losses import Lambdas
from train.followup.study_commands import Data, commands
from train.options import Cache, Devices, Init, Out, Pretrained, grouped
from train.stages import read_stages

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(commands)

_DEFAULT = Settings()
_RUN = Path("runs/followup")

Others = Annotated[
    list[Path] | None,
    typer.Option(help="Folder with labels.csv of radiographs that are no chest, to measure the matching on."),
]


@app.callback()
def main() -> None:
    """Train and study follow-up comparison."""


@app.command()
@grouped
def weights(
    data: Data,
    others: Others = None,
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder for checkpoints, progress.csv and the best weights.")] = _RUN,
    cache: Cache = None,
    init: Init = None,
    pretrained: Pretrained = False,
    encoder: str = _DEFAULT.encoder,
    matching: Annotated[str, typer.Option(help="similar, difference or none.")] = _DEFAULT.matching,
    stages: Annotated[str, typer.Option(help="SIZE:EPOCHS:PAIRS of each, separated by commas.")] = "",
    batch: int = _DEFAULT.batch,
    learning_rate: float = _DEFAULT.learning_rate,
    difference: Annotated[bool, typer.Option(help="Tell change from the embeddings' difference too.")] = True,
    lesions: Annotated[bool, typer.Option(help="Tell change from the lesions' maps too.")] = True,
    lambda_disease: float = Lambdas.disease,
    lambda_matching: float = Lambdas.matching,
    lambda_direction: float = Lambdas.direction,
    lambda_lesions: float = Lambdas.lesions,
    simulated: Annotated[int, typer.Option(help="Patients to simulate.")] = _DEFAULT.simulated,
    alike: Annotated[bool, typer.Option(help="Move both images of a real pair alike, as the source does.")] = False,
    gentle: Annotated[bool, typer.Option(help="Begin with clear lesions and little variation.")] = True,
    workers: Annotated[int, typer.Option(help="Processes that make pairs.")] = _DEFAULT.workers,
    seed: int = _DEFAULT.seed,
    *,
    devices: Devices,
) -> None:
    """Train the network (best epoch: RUN/best.safetensors), measure it, write OUT/followup: weights and card."""
    settings = Settings(
        encoder=encoder,
        matching=matching,  # type: ignore[arg-type]
        lambdas=Lambdas(lambda_disease, lambda_matching, lambda_direction, lambda_lesions),
        difference=difference,
        lesions=lesions,
        stages=read_stages(stages, "PAIRS") if stages else _DEFAULT.stages,
        batch=batch,
        learning_rate=learning_rate,
        simulated=simulated,
        alike=alike,
        first=GENTLE if gentle else FULL,
        workers=workers,
        seed=seed,
        init=init,
        pretrained=pretrained,
    )
    make_weights(data, others or [], run, cache or run / "cache", settings, devices.settings(), out)


@app.command()
def measure(
    data: Annotated[list[Path], typer.Option(help="Data set that the weights were trained on.")],
    others: Others = None,
    out: Out = WEIGHTS,
    run: Annotated[Path, typer.Option(help="Folder of the training run; also keeps what was answered.")] = _RUN,
    cache: Cache = None,
) -> None:
    """Measure the stored weights again and write their card anew."""
    measure_again(data, others or [], run, cache or run / "cache", out)


if __name__ == "__main__":
    app()

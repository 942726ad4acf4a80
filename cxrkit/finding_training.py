"""How a network of findings was trained, kept beside its weights for teaching: AUC of each epoch, images of the GAN."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import WeightsError

EPOCHS, STAGES = "epochs.csv", "stages.npz"
"""Their names in the folder of the weights."""

COLUMNS = ("epoch", "training AUC", "validation AUC")


@dataclass(frozen=True)
class Epoch:
    """One row of EPOCHS.

    Attributes:
        number: from 0.
        training, validation: macro AUC on images learned from, and on the carved part that chose the epoch.
    """

    number: int
    training: float
    validation: float


@dataclass(frozen=True, eq=False)
class Stages:
    """What the generator made of the same latents at several stages of its training.

    Attributes:
        images: [K, M, h, w] in 1/255: M images at each of K stages. All of them are generated and show no patient.
        iterations: [K] after how many steps, rising.
    """

    images: NDArray[np.uint8]
    iterations: tuple[int, ...]


def read_epochs(folder: Path) -> tuple[Epoch, ...]:
    """The epochs in their order.

    Raises:
        WeightsError: the table is missing or damaged.
    """
    try:
        with (folder / EPOCHS).open(newline="", encoding="utf-8") as stream:
            rows = [[row[name] for name in COLUMNS] for row in csv.DictReader(stream)]
        epochs = tuple(Epoch(int(number), float(training), float(carved)) for number, training, carved in rows)
    except OSError:
        raise WeightsError("The AUC of each epoch is missing. It comes with weights that were trained anew.") from None
    except (csv.Error, KeyError, TypeError, ValueError):
        raise _damaged("The AUC of each epoch") from None
    if not epochs or not all(math.isfinite(each) for one in epochs for each in (one.training, one.validation)):
        raise _damaged("The AUC of each epoch")
    return epochs


def read_stages(folder: Path) -> Stages:
    """The generated images.

    Raises:
        WeightsError: they are missing or damaged.
    """
    try:
        # NumPy leaves a file open that it opened itself and could not read.
        with (folder / STAGES).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            images, iterations = stored["images"], tuple(int(number) for number in stored["iterations"])
    except FileNotFoundError:
        raise WeightsError("Images of the GAN are missing. They come with weights whose training had one.") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        raise _damaged("The file of the GAN's images") from None
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size or len(images) != len(iterations):
        raise _damaged("The file of the GAN's images")
    return Stages(images, iterations)


def _damaged(what: str) -> WeightsError:
    return WeightsError(f"{what} is damaged. Take the folder of the weights again from where it came from.")

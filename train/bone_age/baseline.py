"""A plain network on the same data, preparation, schedule and heads, beside the shipped one on its card."""

from dataclasses import replace
from pathlib import Path

from torch import nn

from cxrkit.card import WEIGHTS
from train.bone_age.fit import Settings, train_network
from train.bone_age.images import Material
from train.bone_age.laboratory import Errors, columns, errors_of
from train.bone_age.measure import reported_answers
from train.bone_age.networks import NetworkSettings
from train.cards import stored_network
from train.laboratory import millions
from train.studies import FROM_IMAGENET, Row, put_on_card, write_table
from train.trainer import FitSettings

PLAIN = "resnet18"
TITLE = "A plain ResNet-18 beside it"
SHIPPED = "TJ-Net"


def compare_plain(
    material: Material, settings: Settings, how: FitSettings, run: Path, out: Path = WEIGHTS, name: str = PLAIN
) -> list[Row]:
    """Train the plain network, or go on; its row beside that of the stored weights goes to RUN and to their card.

    Args:
        material: the data.
        settings, how: of training; the network's own parts are replaced.
        run: folder of the run.
        out: folder that holds a folder of weights for each task.
        name: timm's, of the encoder.

    Raises:
        WeightsError: there are no stored weights to stand beside.
    """
    folder = out / material.task.name
    shipped = stored_network(folder, material.task)
    plain = replace(settings, network=NetworkSettings(name, pretrained=settings.network.pretrained))
    model = train_network(material, plain, how, run)
    title = f"ResNet-18{FROM_IMAGENET if settings.network.pretrained else ''}"
    sizes = {SHIPPED: material.task.input_size, title: plain.image_size}
    found = {
        SHIPPED: _errors(shipped, material, sizes[SHIPPED]),
        title: _errors(model, material, plain.image_size),
    }
    rows = []
    for each, network in ((SHIPPED, shipped), (title, model)):
        row: Row = {"network": each}
        for part, errors in found[each].items():
            row |= columns(part, errors, None if each == SHIPPED else found[SHIPPED][part])
        rows.append(row | {"pixels a side": sizes[each], "million parameters": millions(network)})
    write_table(rows, run / "table")
    put_on_card(TITLE, rows, folder / "card.json")
    return rows


def _errors(model: nn.Module, material: Material, size: int) -> dict[str, Errors]:
    return {part: errors_of([one]) for part, one in reported_answers(model, material, size).items()}

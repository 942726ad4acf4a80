"""Weights and card of the bone age network: trained or given, measured as stored, written beside each other."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import nn

from cxrkit.card import WEIGHTS, Card, Source, read_card, write_card
from cxrkit.errors import InputError
from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.weights import preparation_record
from train.bone_age.fit import Settings, train_network
from train.bone_age.images import Material, read_material
from train.bone_age.measure import (
    CONTRADICTED,
    COVERAGE,
    LARGE,
    Point,
    answers_of,
    choose_point,
    groups_table,
    measure,
    robustness,
)
from train.bone_age.networks import TJNET
from train.bone_age.parts import CARVED
from train.cards import RSNA_HANDS, source, store_unmeasured, stored_network
from train.provenance import commit
from train.stored import initialisation
from train.trainer import FitSettings

GROUPS = "Sexes and age groups"

_REFERENCES = {"boneage": RSNA_HANDS}

_LIMITS = (
    "The reference ages that report are single readings of the same source as those learned from; other hospitals were "
    "not measured.",
)


def make_weights(
    data: Path, run: Path, cache: Path, settings: Settings, how: FitSettings, out: Path = WEIGHTS, task: Task = BONE_AGE
) -> Card:
    """Train, measure and write OUT/bone_age.

    Args:
        data: see sources.read_hands.
        run: folder of the run.
        cache: folder for prepared images.
        settings, how: of training.
        out: folder that holds a folder of weights for each task.
        task: whose prepare and input size hold.

    Raises:
        InputError: settings that the app could not use, or too few hands.
        ManifestError: as read_hands.
    """
    if settings.network.name != TJNET:
        raise InputError("The app reads TJ-Net. Train other networks with the commands resnet and compare.")
    if settings.image_size != task.input_size:
        raise InputError(f"The app reads {task.input_size} pixels, so the last stage has to have this size.")
    code = commit()
    material = read_material(data, task, cache, workers=settings.workers + 1)
    return make_card(train_network(material, settings, how, run), material, settings, code, out)


def make_card(model: nn.Module, material: Material, settings: Settings, code: str, out: Path = WEIGHTS) -> Card:
    """Store a trained network as OUT/bone_age, measure it as stored, write its card.

    Args:
        model: in eval mode.
        material: whose carved parts choose, and whose reporting part reports.
        settings: of its training.
        code: commit of the code that trained.
        out: as for make_weights.
    """
    folder = out / material.task.name
    started = initialisation(settings.init, pretrained=settings.network.pretrained)
    network = settings.network.of_card()
    card = store_unmeasured(model, material.task, folder, network, settings, started, code)
    return _measured(card, material, folder)


def measure_again(data: Path, cache: Path, out: Path = WEIGHTS, task: Task = BONE_AGE) -> Card:
    """Measure stored weights and write their card anew.

    What cannot be measured again is taken from the present card: settings, initialisation and the commit of the code
    that trained.

    Args:
        data, cache, out, task: as for make_weights.

    Raises:
        WeightsError: there are no weights, or they are not those of their card.
    """
    folder = out / task.name
    present = read_card(folder / "card.json")
    material = read_material(data, task, cache, workers=2)
    return _measured(present, material, folder)


def _measured(card: Card, material: Material, folder: Path) -> Card:
    """The card with all that is measured, written."""
    task, size = material.task, card.input_size
    model = stored_network(folder, task)
    point = choose_point(model, material, size)
    found = answers_of(model, material, "reporting", size)
    metrics = [metric for part, one in found.items() for metric in measure(one, point, part)]
    if LARGE in found:
        metrics += robustness(model, material, point, size, found[LARGE])
    card = replace(
        card,
        **_chosen(point),
        temperature=point.temperature,
        data=_sources(material),
        split=_split(material),
        metrics=tuple(metrics),
        preparation=preparation_record(task),
        limits=(*task.limits, *_LIMITS),
        tables={**card.tables, GROUPS: groups_table(found, point)},
    )
    write_card(card, folder / "card.json")
    return card


def _chosen(point: Point) -> dict[str, Any]:
    """The rule of the interval and the confidence of a contradiction, where the app looks for them."""
    thresholds = {} if point.contradiction is None else {"sex": point.contradiction}
    return {"thresholds": thresholds, "interval": asdict(point.rule)}


def _sources(material: Material) -> tuple[Source, ...]:
    images = sum((hand.small is not None) + (hand.large is not None) for hand in material.hands.hands)
    return (source(material.hands.name, images, _REFERENCES),)


def _split(material: Material) -> str:
    """How the set was divided, with its numbers."""
    parts = material.parts
    large = sum(hand.large is not None for hand in parts.reporting)
    return (
        f"By hand, and by patient where known: {len(parts.training)} hands trained, {len(parts.choice)} chose the best "
        f"epoch, the temperature and the confidence at which a contradicting sex is said ({1 - CONTRADICTED:.0%} of "
        f"right ones are not contradicted), {len(parts.interval)} others the {COVERAGE:.0%} interval (together "
        f"{CARVED:.0%} of the training part, carved out); {len(parts.reporting)} report, {large} of them as larger "
        "images too. Both images of a hand are in one part. Near-identical images (train.audit_split) stay together; "
        f"{len(parts.left_out)} hands that repeat one that reports are left out of training"
    )

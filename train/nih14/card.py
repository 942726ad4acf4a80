"""Weights and card of the network of findings: trained, measured as stored, written beside each other."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from safetensors import safe_open

from cxrkit.card import WEIGHTS, Card, Metric, Source, read_card, write_card
from cxrkit.errors import InputError
from cxrkit.finding_support import LabelSupport
from cxrkit.finding_training import STAGES
from cxrkit.scores import FILE, write_scores
from cxrkit.tasks.nih14 import LABELS, NIH14
from cxrkit.weights import preparation_record
from train.cards import Reference, source, store_unmeasured, stored_network
from train.nih14.data import SETS, Material, read_material, targets
from train.nih14.fit import Settings, logits_of, started, train_network, write_epochs
from train.nih14.losses import Reading
from train.nih14.measure import Chosen, Floats, Reported, choose, labels_table, measure, scored_parts, support_of
from train.nih14.parts import CARVED, leak
from train.provenance import commit
from train.trainer import FitSettings
from train.tuberculosis.card import SOURCES as TUBERCULOSIS_SOURCES

BOXES = "radiologists' boxes, networks that were not fine-tuned on the patient"
"""Part of the figures that the command boxes puts on the card; a new measurement of the rest leaves them there."""

BOXED, HITS, CHANCE = "Pneumonia", "pointing game, hits", "pointing game, by chance"
"""The one label with enough boxes, and names of two of these figures."""

LABELS_TABLE = "Labels"

_REFERENCES: dict[str, Reference] = {
    **{name: known for name, known in TUBERCULOSIS_SOURCES.items() if name not in ("nih", "hannover")},
    "nih": ("NIH ChestX-ray14, a part", "Wang et al. 2017", "free use with citation"),
    "hannover": ("Hannover COVID-19 image repository", "ml-workgroup/covid-19-image-repository", "CC BY 3.0"),
    "lungs": ("OpenIST chest set", "OpenIST", "no licence file: trained and measured on only"),
}

_LIMITS = (
    "The images that report are of the same archive as those learned from; other hospitals were not measured.",
    "Labels with few positive images have wide intervals, and their thresholds rest on a handful of carved images.",
    "In the table “Four models” SS-GAN + ViT took its adversarial term against an earlier, smaller generator than the "
    "other network with a trunk.",
)

_GENERATED = (
    f"The pictures of the GAN's stages ({STAGES}) are generated: they show no patient, and what they teach is how such "
    "a network learns."
)


def make_weights(
    data: Path,
    run: Path,
    cache: Path,
    settings: Settings,
    how: FitSettings,
    out: Path = WEIGHTS,
    *,
    by_image: bool = False,
) -> Card:
    """Train, measure and write OUT/nih14: weights, card, epochs.csv, and where a GAN is given its stages.npz.

    Args:
        data: the labelled set; see sources.labelled_cases.
        run: folder of the run.
        cache: folder for prepared images.
        settings, how: of training.
        out: folder that holds a folder of weights for each task.
        by_image: divide image by image, so that patients leak, as the source did.

    Raises:
        InputError: settings that the app could not use, or too few patients.
        ManifestError: as labelled_cases.
    """
    if settings.size != NIH14.input_size:
        raise InputError(f"The app reads {NIH14.input_size} pixels, so training has to have this size.")
    if settings.reading is not Reading.SIGMOID:
        raise InputError("The app reads each label by itself (sigmoid). The literal softmax has no place there.")
    code, folder = commit(), out / NIH14.name
    material = read_material(data, cache, settings.size, by_image=by_image)
    model = train_network(material, settings, how, run)
    # Paths of this machine are no part of the record; what they held is told in words.
    recorded = replace(settings, vit=None, trunk=None, gan=None)
    card = store_unmeasured(model, NIH14, folder, settings.of_card(), recorded, started(settings), code)
    told = {**settings.told(), "by_image": by_image, "unlabelled": _unlabelled(settings)}
    card = replace(card, settings=told)
    write_card(card, folder / "card.json")
    write_epochs(run, folder)
    (folder / STAGES).unlink(missing_ok=True)
    if settings.gan is not None:
        shutil.copyfile(settings.gan / STAGES, folder / STAGES)
    return _measured(card, material, folder)


def measure_again(data: Path, cache: Path, out: Path = WEIGHTS) -> Card:
    """Measure the stored weights again and write their card anew.

    Raises:
        WeightsError: there are no weights, or they are not those of their card.
    """
    folder = out / NIH14.name
    card = read_card(folder / "card.json")
    by_image = bool(card.settings["by_image"])
    material = read_material(data, cache, card.input_size, by_image=by_image)
    return _measured(card, material, folder)


def _measured(card: Card, material: Material, folder: Path) -> Card:
    """The card with all that is measured, written."""
    model = stored_network(folder, NIH14)
    chosen = choose(logits_of(model, material.carved.views, card.input_size), material.carved.target)
    training = targets(material.parts.training).sum(axis=0)
    reported = reported_by(material, logits_of(model, material.reporting.views, card.input_size))
    support = support_of(training, chosen, reported)
    card = replace(
        card,
        thresholds=_thresholds(chosen, [one.label for one in support if not one.remark]),
        support=support,
        data=_sources(material, card.settings["unlabelled"]),
        split=split_in_words(material),
        preparation=preparation_record(NIH14),
        limits=limits(card.metrics, folder),
    )
    of_boxes = tuple(one for one in card.metrics if one.part == BOXES)
    table = labels_table(material.carved.target.sum(axis=0), support, card)
    card = replace(
        card,
        metrics=(*measure(card, training, reported), *of_boxes),
        tables={**card.tables, LABELS_TABLE: table},
    )
    write_card(card, folder / "card.json")
    keep_scores(support, reported, folder)
    return card


def limits(metrics: Sequence[Metric], folder: Path) -> tuple[str, ...]:
    """What the card warns of.

    Args:
        metrics: among them those of the boxes, where they were measured.
        folder: with the weights, and perhaps with pictures of the GAN's stages.
    """
    figures = {one.name: one for one in metrics if one.part == BOXES}
    if not {HITS, CHANCE} <= figures.keys():
        heatmaps = "Whether the heatmaps lie on the findings was not measured."
    else:
        low, high = figures[HITS].low, figures[CHANCE].high
        better = low is not None and high is not None and low > high
        heatmaps = (
            f"Whether the heatmaps lie on the findings was measured for {BOXED} alone: there they were "
            f"{'better' if better else 'no better'} than chance."
        )
    return (*NIH14.limits, *_LIMITS, heatmaps, *((_GENERATED,) if (folder / STAGES).is_file() else ()))


def keep_scores(support: Sequence[LabelSupport], reported: Reported, folder: Path) -> None:
    """What the calibration plots are drawn from; no file where no label is called and calibrated."""
    (folder / FILE).unlink(missing_ok=True)
    if parts := scored_parts(support, reported):
        write_scores(parts, folder)


def reported_by(material: Material, logits: Floats) -> Reported:
    """The part that reports, with a network's logits [N, 14]."""
    patients, _ = leak(material.parts)
    part = "image by image, patients leak: optimistic" if patients else "part that reports, other patients"
    return Reported(logits, material.reporting.target, material.reporting.patients, part, leaks=bool(patients))


def _thresholds(chosen: Sequence[Chosen], called: Sequence[str]) -> dict[str, float]:
    limits = {label: one.threshold for label, one in zip(LABELS, chosen, strict=True)}
    return {label: limit for label in called if (limit := limits[label]) is not None}


def _unlabelled(settings: Settings) -> dict[str, int]:
    """Images of each set that self-supervision or the GAN learned from, as their files say."""
    found: Counter[str] = Counter()
    for file in settings.starts():
        with safe_open(file, framework="pt") as stored:
            told = json.loads((stored.metadata() or {}).get(SETS, "{}"))
        found |= Counter(told)
    return dict(found)


def _sources(material: Material, unlabelled: dict[str, int]) -> tuple[Source, ...]:
    parts = material.parts
    images = len(parts.training) + len(parts.reporting)
    own = source(material.name, images, _REFERENCES)
    others = [source(name, count, _REFERENCES) for name, count in sorted(unlabelled.items()) if name != material.name]
    return (own, *(replace(one, name=f"{one.name}, without labels") for one in others))


def split_in_words(material: Material) -> str:
    """How the set was divided, with its numbers, and whether patients leak."""
    parts = material.parts
    patients, images = leak(parts)
    whose = "By patient, as the set gives it" if parts.given else "By patient"
    if patients:
        whose = f"Image by image: {patients} patients are on both sides, {images} of the images that report are theirs"
    return (
        f"{whose}. {len(parts.learned)} images trained; {len(parts.carved)} ({CARVED:.0%} of the training patients, "
        f"carved out) chose the epoch, the calibration and the thresholds; {len(parts.reporting)} report and chose "
        "nothing. Positive training images are counted over both of the first. Images that repeat another one "
        "(train.audit_split) are left out"
    )

"""From images to weights/tuberculosis: cross-family runs, border baseline, the final network and its card."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_only
from numpy.typing import NDArray
from safetensors.torch import load
from torch import nn

from cxrkit.card import WEIGHTS, Card, Metric, Source, read_card, write_card
from cxrkit.cases import Case, carve, class_index, split_by_patient
from cxrkit.evaluate import binary_metrics
from cxrkit.metrics import confusion, delong_interval, fit_temperature, threshold_for_sensitivity
from cxrkit.predict import probabilities
from cxrkit.tasks.tuberculosis import LABELS, TUBERCULOSIS
from cxrkit.weights import fill, preparation_record, save_weights
from train.border_baseline import border_features, border_scores
from train.datasets import tuberculosis_cases
from train.prepared import Views, prepare_cases, read_each
from train.provenance import commit
from train.trainer import FitSettings
from train.tuberculosis_fit import FAMILY_PAIRS, Settings, logits_of, train_model

SENSITIVITY = 0.95
"""On the carved part, which is optimistic: WHO's target profile for triage asks for TRIAGE."""

TRIAGE = 0.9

IN_SET = "in-set test part, same sources as training: optimistic"

SOURCES = {
    "mendeley_tb": ("Mendeley 8j2g3csprk (tuberculosis)", "10.17632/8j2g3csprk", "CC BY 4.0"),
    "mendeley_normal": ("Mendeley 8j2g3csprk (normal)", "10.17632/8j2g3csprk", "CC BY 4.0"),
    "rahman_tb": ("Tuberculosis Chest X-ray Database (tuberculosis)", "Rahman et al. 2020", "research use"),
    "radiography_normal": ("COVID-19 Radiography Database (normal)", "Chowdhury et al. 2020", "research use"),
}


@dataclass(frozen=True, eq=False)
class Images:
    """A data set in memory.

    Attributes:
        cases: N of them.
        views: [N, S, S], prepared.
        targets: [N] class indices.
        families: [N] names.
        test: [N] True for the given test part.
        borders: [N, 96], border features of the images as they are.
    """

    cases: Sequence[Case]
    views: Views
    targets: NDArray[np.int64]
    families: NDArray[np.str_]
    test: NDArray[np.bool_]
    borders: NDArray[np.float32]

    def groups(self, chosen: NDArray[np.bool_]) -> list[str]:
        """Family and class of the chosen images: what is drawn equally often."""
        return [f"{f}/{t}" for f, t in zip(self.families[chosen], self.targets[chosen], strict=True)]


@dataclass(frozen=True, eq=False)
class Crossed:
    """One pair of families, read by a network (and a border baseline) that never saw it.

    Attributes:
        trained, held: the family pairs, in words.
        index: [M] positions in the data set.
        logits: [M, 2].
        border: [M] scores of the border baseline.
    """

    trained: str
    held: str
    index: NDArray[np.int64]
    logits: NDArray[np.float64]
    border: NDArray[np.float64]


def load_images(data: Path, settings: Settings, cache: Path) -> Images:
    """Read a data set; without a given split, a fifth of the patients becomes the test part."""
    cases = tuberculosis_cases(data)
    given = {case.split for case in cases}
    tested = {c.files for c in cases if c.split == "test"}
    if "test" not in given:
        tested = {c.files for c in split_by_patient(cases, (0.8, 0.2), settings.seed)[1]}
    return Images(
        cases=cases,
        views=prepare_cases(TUBERCULOSIS, cases, data, settings.size, cache),
        targets=np.array([class_index(case, LABELS) for case in cases], dtype=np.int64),
        families=np.array([case.family or "unknown" for case in cases]),
        test=np.array([case.files in tested for case in cases]),
        borders=read_each(lambda image: border_features(image.windowed()), cases, data, cache, "borders"),
    )


def cross_families(images: Images, settings: Settings, how: FitSettings, run: Path) -> list[Crossed]:
    """Train on one pair of sources and read the other, each way round; nothing where fewer than two pairs are there."""
    pairs = [pair for pair in FAMILY_PAIRS if set(pair) <= set(images.families)]
    crossed = []
    for held in pairs:
        rest = [family for pair in pairs if pair != held for family in pair]
        if not rest:
            continue
        training, tested = np.isin(images.families, rest), np.isin(images.families, held)
        file = run / f"without_{held[0]}" / "logits.npy"
        if not file.is_file():
            groups = images.groups(training)
            model = train_model(images.views[training], images.targets[training], groups, settings, how, file.parent)
            logits = logits_of(model, images.views[tested])
            if rank_zero_only.rank == 0:
                np.save(file, logits)
        else:
            logits = np.load(file)
        border = border_scores(images.borders[training], images.targets[training], images.borders[tested])
        crossed.append(Crossed(" + ".join(rest), " + ".join(held), np.flatnonzero(tested), logits, border))
    return crossed


def make_weights(data: Path, run: Path, settings: Settings, how: FitSettings, out: Path = WEIGHTS) -> None:
    """Train, measure and write OUT/tuberculosis; see the module. Of several processes the first one writes."""
    code = commit()
    images = load_images(data, settings, run / "cache")
    crossed = cross_families(images, settings, how, run)
    chosen = np.zeros(len(images.cases), dtype=bool)
    chosen[_divide(images, settings)[0]] = True
    training = (images.views[chosen], images.targets[chosen], images.groups(chosen))
    first = run / "final" / "model.safetensors"
    if not first.is_file():
        model = train_model(*training, settings, how, run / "final")
        if rank_zero_only.rank == 0:
            save_weights(model, first.parent)
        if torch.distributed.is_initialized():
            torch.distributed.barrier()  # the others read the file too
    if settings.finish_epochs:
        model = train_model(*training, settings.finish(first), how, run / "finish")
    else:
        model, _ = _stored_model(settings, first.parent)
    if rank_zero_only.rank == 0:
        save_weights(model, out / TUBERCULOSIS.name)
        write_card(_card(images, crossed, settings, code, out), out / TUBERCULOSIS.name / "card.json")


def measure_again(data: Path, run: Path, out: Path = WEIGHTS) -> None:
    """Measure stored weights and write their card anew, with the runs that are in the run folder.

    What cannot be measured again is taken from the present card: settings and the commit of the code that trained.
    """
    present = read_card(out / TUBERCULOSIS.name / "card.json")
    given = dict(present.settings)
    given["augmentation"] = tuple(given["augmentation"])
    settings = Settings(**given)
    images = load_images(data, settings, run / "cache")
    crossed = cross_families(images, settings, FitSettings(), run)
    card = _card(images, crossed, settings, present.commit, out)
    write_card(replace(card, tables=present.tables), out / TUBERCULOSIS.name / "card.json")


def _divide(images: Images, settings: Settings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the training part, without and with only the tenth that is carved out of it."""
    position = {case.files: index for index, case in enumerate(images.cases)}
    rest = [case for case, tested in zip(images.cases, images.test, strict=True) if not tested]
    kept, carved = carve(rest, 0.1, settings.seed)
    return np.array([position[c.files] for c in kept]), np.array([position[c.files] for c in carved])


def _card(images: Images, crossed: list[Crossed], settings: Settings, code: str, out: Path) -> Card:
    model, digest = _stored_model(settings, out / TUBERCULOSIS.name)
    carved = _divide(images, settings)[1]
    temperature, threshold = operating_point(
        images.targets[carved], images.families[carved], logits_of(model, images.views[carved])
    )
    test = np.flatnonzero(images.test)
    score = probabilities(logits_of(model, images.views[test]), temperature, "softmax")[:, 1]
    metrics = [*binary_metrics(images.targets[test], score, threshold, IN_SET)]
    metrics += _border_in_set(images)
    for crossing in crossed:
        metrics += _crossed_metrics(images, crossing, temperature, threshold, finished=settings.finish_epochs > 0)
    return Card(
        task=TUBERCULOSIS.name,
        labels=LABELS,
        model={"encoder": settings.encoder, "channels": settings.channels},
        input_size=TUBERCULOSIS.input_size,
        mean=TUBERCULOSIS.mean,
        std=TUBERCULOSIS.std,
        sha256=digest,
        precision="fp16",
        thresholds={TUBERCULOSIS.positive: threshold},
        temperature=temperature,
        initialisation=_initialisation(settings),
        data=_sources(images),
        split="given 8:2 split by image (patients are not known); a tenth carved out of the training part chose "
        f"temperature and threshold ({SENSITIVITY:.0%} sensitivity there, every family weighing the same); the test "
        "part chose neither",
        metrics=tuple(metrics),
        settings=asdict(settings) | {"init": None if settings.init is None else "given"},
        commit=code,
        preparation=preparation_record(TUBERCULOSIS),
        limits=TUBERCULOSIS.limits,
    )


def operating_point(
    targets: NDArray[np.int64], families: NDArray[np.str_], logits: NDArray[np.float64]
) -> tuple[float, float]:
    """Temperature and threshold from the carved part, every family weighing the same.

    Not from the cross-family runs: each of those networks shifts all scores of its unseen families in a direction of
    its own, so their thresholds say nothing about the final network's.

    Args:
        targets: [N] class indices.
        families: [N] names.
        logits: [N, 2].

    Returns:
        temperature, threshold (SENSITIVITY on these cases).
    """
    drawn = _evenly(families)
    temperature = fit_temperature(logits[drawn], targets[drawn])
    score = probabilities(logits[drawn], temperature, "softmax")[:, 1]
    return temperature, threshold_for_sensitivity(targets[drawn], score, SENSITIVITY)


def _evenly(families: NDArray[np.str_]) -> NDArray[np.int64]:
    """Positions, smaller families repeated to the largest one's size."""
    members = [np.flatnonzero(families == family) for family in np.unique(families)]
    largest = max(len(member) for member in members)
    return np.concatenate([np.resize(member, largest) for member in members])


def _stored_model(settings: Settings, folder: Path) -> tuple[nn.Module, str]:
    """The network as the app will load it, so that the figures are those of the rounded weights; and its SHA-256."""
    data = (folder / "model.safetensors").read_bytes()
    state = load(data)
    model = TUBERCULOSIS.build_model({"encoder": settings.encoder, "channels": settings.channels})
    weights = {name: tensor.float() for name, tensor in state.items()}
    return fill(model, weights, TUBERCULOSIS.train_command), hashlib.sha256(data).hexdigest()


def _border_in_set(images: Images) -> list[Metric]:
    train, test = ~images.test, images.test
    score = border_scores(images.borders[train], images.targets[train], images.borders[test])
    interval = delong_interval(images.targets[test], score)
    note = "borders and histogram of the image as it is, no lung seen: what the archive alone gives away"
    return [
        Metric("AUC, border-only baseline", IN_SET, interval.value, interval.low, interval.high, int(test.sum()), note)
    ]


def _crossed_metrics(
    images: Images, crossing: Crossed, temperature: float, threshold: float, *, finished: bool
) -> list[Metric]:
    """Figures on all images of the held-out pair, none of which that run's network has seen."""
    target = images.targets[crossing.index]
    part = f"cross-family: trained on {crossing.trained}, tested on all of {crossing.held}"
    longer = "a run of the first stage alone; the shipped network was trained longer" if finished else ""
    score = probabilities(crossing.logits, temperature, "softmax")[:, 1]
    metrics = []
    for name, values, note in (("AUC", score, longer), ("AUC, border-only baseline", crossing.border, "")):
        interval = delong_interval(target, values)
        metrics.append(Metric(name, part, interval.value, interval.low, interval.high, len(target), note))
    limit = threshold_for_sensitivity(target, score, TRIAGE)
    reached = confusion(target, (score >= limit).astype(np.int64)).specificity
    note = "threshold set on these images themselves; WHO's target for triage is at least 0.700"
    name = f"specificity at {TRIAGE:.0%} sensitivity"
    metrics.append(Metric(name, part, reached.value, reached.low, reached.high, len(target), note))
    note = "another network of the same recipe: its scores are shifted as a whole on archives new to it"
    at_threshold = binary_metrics(target, score, threshold, part, note)
    return metrics + [metric for metric in at_threshold if metric.name in ("sensitivity", "specificity")]


def _initialisation(settings: Settings) -> str:
    if settings.init:
        return "weights given by --init"
    return "ImageNet weights of timm" if settings.pretrained else "random (from scratch)"


def _sources(images: Images) -> tuple[Source, ...]:
    names, counts = np.unique(images.families, return_counts=True)
    return tuple(
        Source(*SOURCES.get(name, (name, "own data set", "own")), images=int(count), real=True)
        for name, count in zip(names.tolist(), counts, strict=True)
    )

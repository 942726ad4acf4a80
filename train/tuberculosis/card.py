"""From images to weights/tuberculosis: cross-family runs, border baseline, the final network and its card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load
from torch import nn

from cxrkit.card import WEIGHTS, Card, Metric, Source, read_card, write_card
from cxrkit.evaluate import binary_metrics
from cxrkit.metrics import confusion, delong_interval, fit_temperature, threshold_for_sensitivity
from cxrkit.predict import probabilities
from cxrkit.scores import CROSSED, ScoredPart, write_scores
from cxrkit.tasks.tuberculosis import LABELS, TUBERCULOSIS
from cxrkit.weights import fill, load_model, preparation_record, save_weights
from train.border_baseline import border_scores
from train.cards import settings_of_card, source, tables_of
from train.provenance import commit
from train.stored import initialisation, save_array
from train.trainer import FitSettings, is_first_process
from train.tuberculosis.fit import FAMILY_PAIRS, Settings, TrainingPart, logits_of, train_model
from train.tuberculosis.heat import heat_metrics, simulated_metrics
from train.tuberculosis.images import Images, load_images

SENSITIVITY = 0.95
"""On the carved part, which is optimistic: WHO's target profile for triage asks for TRIAGE."""

TRIAGE = 0.9

IN_SET = "in-set test part, same sources as training: optimistic"

SOURCES = {
    "mendeley_tb": ("Mendeley 8j2g3csprk (tuberculosis)", "10.17632/8j2g3csprk", "CC BY 4.0"),
    "mendeley_normal": ("Mendeley 8j2g3csprk (normal)", "10.17632/8j2g3csprk", "CC BY 4.0"),
    "rahman_tb": ("Tuberculosis Chest X-ray Database (tuberculosis)", "Rahman et al. 2020", "research use"),
    "radiography_normal": ("COVID-19 Radiography Database (normal)", "Chowdhury et al. 2020", "research use"),
    "nih": (
        "NIH ChestX-ray14, train part, taken as free of tuberculosis (training only)",
        "Wang et al. 2017",
        "free use with citation",
    ),
    "hannover": (
        "Hannover COVID-19 image repository, taken as free of tuberculosis (training only)",
        "ml-workgroup/covid-19-image-repository",
        "CC BY 3.0",
    ),
}


SHARED_ARCHIVE = (
    "some of these normal chests come from the NIH archive, and other images of that archive were trained on as "
    "negatives: optimistic"
)

_SPLIT = (
    "given 8:2 split by image (patients are not known); a tenth carved out of the training part chose temperature and "
    f"threshold ({SENSITIVITY:.0%} sensitivity there, every family weighing the same); the test part chose neither; "
    "copies found by train.audit_split do not report"
)


_LIMITS = (
    "Each network was trained once, with one seed, and an earlier network's figures on the test part and on the "
    "held-out archives had been seen when this recipe was made: both are somewhat optimistic, and no interval covers "
    "that.",
)


@dataclass(frozen=True, eq=False)
class Crossed:
    """One pair of families, read by a network (and a border baseline) that never saw it.

    Attributes:
        trained, held: the family pairs, in words.
        note: what makes its figures look better than they are.
        target: [M] class indices.
        logits: [M, 2].
        border: [M] scores of the border baseline.
    """

    trained: str
    held: str
    note: str
    target: NDArray[np.int64]
    logits: NDArray[np.float64]
    border: NDArray[np.float64]

    @property
    def part(self) -> str:
        """What it was measured on, in words."""
        return f"{CROSSED}: trained on {self.trained}, tested on all of {self.held}"

    def scores(self, temperature: float) -> NDArray[np.float64]:
        """[M] probability of tuberculosis."""
        return probabilities(self.logits, temperature, "softmax")[:, 1]


def cross_families(images: Images, settings: Settings, how: FitSettings, run: Path) -> list[Crossed]:
    """Train on one pair of sources and read the other, each way round; nothing where fewer than two pairs are there.

    The networks go through the same training as the one that ships, further negatives included. Images of the held-out
    pair that repeat one of another set do not report.
    """
    pairs = [pair for pair in FAMILY_PAIRS if set(pair) <= set(images.families)]
    crossed = []
    for held in pairs:
        rest = [family for pair in pairs if pair != held for family in pair]
        if not rest:
            continue
        chosen = np.isin(images.families, rest)
        training = np.flatnonzero(chosen | images.further)
        tested = np.flatnonzero(np.isin(images.families, held))
        file = run / f"without_{held[0]}" / "logits.npy"
        if not file.is_file():
            model = train_model(training_part(images, training), settings, how, file.parent)
            logits = logits_of(model, images.views[tested])
            if is_first_process():
                save_array(file, logits)
        else:
            logits = np.load(file)
        known, reports = np.flatnonzero(chosen), ~images.copies[tested]
        tested, logits = tested[reports], logits[reports]
        border = border_scores(images.borders[known], images.targets[known], images.borders[tested])
        further = sorted(set(images.families[images.further].tolist()))
        note = SHARED_ARCHIVE if "radiography_normal" in held and "nih" in further else ""
        trained, tests = " + ".join([*rest, *further]), " + ".join(held)
        crossed.append(Crossed(trained, tests, note, images.targets[tested], logits, border))
    return crossed


def make_weights(
    data: Path, others: Sequence[Path], run: Path, settings: Settings, how: FitSettings, out: Path = WEIGHTS
) -> None:
    """Train, measure and write OUT/tuberculosis; see the module. Of several processes the first one writes."""
    code = commit()
    images = load_images(data, others, settings, run / "cache")
    crossed = cross_families(images, settings, how, run)
    model = train_model(training_part(images, images.divide(settings.seed)[0]), settings, how, run / "final")
    if is_first_process():
        folder = out / TUBERCULOSIS.name
        _write(images, crossed, settings, code, save_weights(model, folder), folder, tables_of(folder))


def measure_again(data: Path, others: Sequence[Path], run: Path, out: Path = WEIGHTS) -> None:
    """Measure stored weights and write their card anew, with the runs that are in the run folder.

    What cannot be measured again is taken from the present card: settings and the commit of the code that trained.
    """
    folder = out / TUBERCULOSIS.name
    present = read_card(folder / "card.json")
    given = dict(present.settings)
    given["augmentation"] = tuple(given["augmentation"])
    settings = Settings(**given)
    images = load_images(data, others, settings, run / "cache")
    crossed = cross_families(images, settings, FitSettings(), run)
    _write(images, crossed, settings, present.commit, present.sha256, folder, present.tables)


def training_part(images: Images, chosen: NDArray[np.int64]) -> TrainingPart:
    """What a run trains on, by position."""
    return TrainingPart(images.views[chosen], images.lungs[chosen], images.targets[chosen], images.families[chosen])


def _write(
    images: Images,
    crossed: list[Crossed],
    settings: Settings,
    code: str,
    digest: str,
    folder: Path,
    tables: Mapping[str, list[dict[str, Any]]],
) -> None:
    """Measure the stored weights; write card and scores."""
    model = _stored_model(settings, folder)
    carved = images.divide(settings.seed)[1]
    temperature, threshold = operating_point(
        images.targets[carved], images.families[carved], logits_of(model, images.views[carved])
    )
    test = np.flatnonzero(images.test & ~images.copies)
    target = images.targets[test]
    parts = [ScoredPart(crossing.part, False, crossing.target, crossing.scores(temperature)) for crossing in crossed]
    score = probabilities(logits_of(model, images.views[test]), temperature, "softmax")[:, 1]
    parts.append(ScoredPart(IN_SET, True, target, score))
    metrics = [*binary_metrics(target, score, threshold, IN_SET), _border_in_set(images, test)]
    for crossing, part in zip(crossed, parts, strict=False):
        metrics += _crossed_metrics(crossing, part, threshold)
    write_scores(parts, folder)
    card = Card(
        task=TUBERCULOSIS.name,
        labels=LABELS,
        model=_network(settings),
        input_size=TUBERCULOSIS.input_size,
        mean=TUBERCULOSIS.mean,
        std=TUBERCULOSIS.std,
        sha256=digest,
        precision="fp16",
        thresholds={TUBERCULOSIS.positive: threshold},
        temperature=temperature,
        initialisation=initialisation(settings.init, pretrained=settings.pretrained),
        data=_sources(images),
        split=_SPLIT,
        metrics=tuple(metrics),
        settings=settings_of_card(settings),
        commit=code,
        preparation=preparation_record(TUBERCULOSIS),
        limits=(*TUBERCULOSIS.limits, *_LIMITS),
        tables=tables,
    )
    write_card(card, folder / "card.json")  # the network is loaded with its card, as the app does
    loaded = load_model(TUBERCULOSIS, folder.parent)
    ill = test[target == 1]
    heat = heat_metrics(loaded, images.views[ill], images.lungs[ill], f"tuberculosis images of the {IN_SET}")
    simulated = simulated_metrics(loaded, settings.simulated_pairs)
    write_card(replace(card, metrics=(*card.metrics, *heat, *simulated)), folder / "card.json")


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


def _network(settings: Settings) -> dict[str, Any]:
    return {"encoder": settings.encoder, "channels": settings.channels}


def _stored_model(settings: Settings, folder: Path) -> nn.Module:
    """The network as the app will load it, so that the figures are those of the rounded weights."""
    state = load((folder / "model.safetensors").read_bytes())
    weights = {name: tensor.float() for name, tensor in state.items()}
    return fill(TUBERCULOSIS.build_model(_network(settings)), weights, TUBERCULOSIS.train_command)


def _border_in_set(images: Images, test: NDArray[np.int64]) -> Metric:
    train = np.flatnonzero(~images.test & ~images.further)
    score = border_scores(images.borders[train], images.targets[train], images.borders[test])
    interval = delong_interval(images.targets[test], score)
    note = "borders and histogram of the image as it is, no lung seen: what the archive alone gives away"
    return Metric("AUC, border-only baseline", IN_SET, interval.value, interval.low, interval.high, len(test), note)


def _crossed_metrics(crossing: Crossed, part: ScoredPart, threshold: float) -> list[Metric]:
    """Figures on all images of the held-out pair, none of which that run's network has seen."""
    target, name = part.targets, part.name
    metrics = []
    baseline = "trained without the further negatives"
    for figure, values, note in (
        ("AUC", part.scores, crossing.note),
        ("AUC, border-only baseline", crossing.border, baseline),
    ):
        interval = delong_interval(target, values)
        metrics.append(Metric(figure, name, interval.value, interval.low, interval.high, len(target), note))
    limit = threshold_for_sensitivity(target, part.scores, TRIAGE)
    reached = confusion(target, (part.scores >= limit).astype(np.int64)).specificity
    note = "threshold set on these images themselves; WHO's target for triage is at least 0.700"
    figure = f"specificity at {TRIAGE:.0%} sensitivity"
    metrics.append(Metric(figure, name, reached.value, reached.low, reached.high, len(target), note))
    note = "another network of the same recipe: its scores are shifted as a whole on archives new to it"
    at_threshold = binary_metrics(target, part.scores, threshold, name, note)
    return metrics + [metric for metric in at_threshold if metric.name in ("sensitivity", "specificity")]


def _sources(images: Images) -> tuple[Source, ...]:
    names, counts = np.unique(images.families, return_counts=True)
    return tuple(source(name, int(count), SOURCES) for name, count in zip(names.tolist(), counts, strict=True))

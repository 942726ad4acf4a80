"""From images to weights/tuberculosis: cross-family runs, border baseline, the final network and its card."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load
from torch import nn

from cxrkit.card import WEIGHTS, Card, Metric, Source, read_card, write_card
from cxrkit.errors import InputError
from cxrkit.evaluate import binary_metrics
from cxrkit.metrics import bootstrap_interval, delong_interval, fit_temperature, threshold_for_sensitivity
from cxrkit.predict import probabilities
from cxrkit.scores import ScoredPart, write_scores
from cxrkit.tasks.tuberculosis import LABELS, TUBERCULOSIS
from cxrkit.weights import fill, load_model, preparation_record, save_weights
from train.border_baseline import border_scores
from train.cards import settings_of_card, source, tables_of
from train.provenance import commit
from train.stored import initialisation
from train.trainer import FitSettings, is_first_process
from train.tuberculosis.crossed import Crossed, cross_families, training_part
from train.tuberculosis.fit import Settings, logits_of, train_model
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
        started = initialisation(settings.init, pretrained=settings.pretrained)
        _write(images, crossed, settings, started, code, save_weights(model, folder), folder, tables_of(folder))


def measure_again(data: Path, others: Sequence[Path], run: Path, out: Path = WEIGHTS) -> None:
    """Measure stored weights and write their card anew, with the answers of the run folder, or where they are gone with
    the scores beside the weights.

    What cannot be measured again is taken from the present card: settings, initialisation and the commit of the code
    that trained.

    Raises:
        InputError: other data sets than the card's, or there are no answers for their images.
    """
    folder = out / TUBERCULOSIS.name
    present = read_card(folder / "card.json")
    given = dict(present.settings)
    given["augmentation"] = tuple(given["augmentation"])
    settings = Settings(**given)
    images = load_images(data, others, settings, run / "cache")
    sets, then = ({one.name for one in every} for every in (_sources(images), present.data))
    if sets != then:
        raise InputError(
            f"These weights learned from {', '.join(sorted(then))}, and what is given holds {', '.join(sorted(sets))}: "
            "the card would say something else than what happened. Give the same --data and --others."
        )
    crossed = cross_families(images, settings, None, run, folder)
    started, code = present.initialisation, present.commit
    _write(images, crossed, settings, started, code, present.sha256, folder, present.tables)


def _write(
    images: Images,
    crossed: list[Crossed],
    settings: Settings,
    started: str,
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
        initialisation=started,
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
    reached = bootstrap_interval(_specificity_at_triage, target, part.scores, strata=target)
    note = (
        "threshold set on these images themselves, and anew in each resample of the interval's bootstrap; WHO's target "
        "for triage is at least 0.700"
    )
    figure = f"specificity at {TRIAGE:.0%} sensitivity"
    metrics.append(Metric(figure, name, reached.value, reached.low, reached.high, int((target == 0).sum()), note))
    note = "another network of the same recipe: its scores are shifted as a whole on archives new to it"
    at_threshold = binary_metrics(target, part.scores, threshold, name, note)
    return metrics + [metric for metric in at_threshold if metric.name in ("sensitivity", "specificity")]


def _specificity_at_triage(target: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    limit = threshold_for_sensitivity(target, score, TRIAGE)
    return float(np.mean(score[target == 0] < limit))


def _sources(images: Images) -> tuple[Source, ...]:
    names, counts = np.unique(images.families, return_counts=True)
    return tuple(source(name, int(count), SOURCES) for name, count in zip(names.tolist(), counts, strict=True))

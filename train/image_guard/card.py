"""The image guard's weights and card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from cxrkit.card import WEIGHTS, Card, Metric, Source, read_card, write_card
from cxrkit.metrics import wilson_interval
from cxrkit.quality import KINDS, NAME, SIZE, SWAPPED
from cxrkit.task import Reads
from cxrkit.weights import save_weights
from train.image_guard.data import Entry
from train.image_guard.measure import CHESTS, HANDS, PARTS, SWAPPED_CHESTS, Judged, judge
from train.image_guard.pictures import FRONTAL, LATERAL, count_made
from train.provenance import commit

_GOALS = {("frontal chest", CHESTS): "at most 2 %", ("hand", HANDS): "at most 2 %", ("frontal chest", PARTS): "90 %"}

_LIMITS = (
    "Real lateral chests are as good as unmeasured: the network learned lateral views from simulated chests alone, and "
    "only four real ones, told by eye, are among the images that it is measured on.",
    "Things that are no radiographs are mostly drawn; photographs are measured on two.",
    "One set gives nearly all hands: posteroanterior, one hand at a time, for bone age. Of another hospital three such "
    "hands are measured; lateral ones, those in a cast and several at a time are stopped.",
    "Patients of the tb and OpenIST sets are not known, and images of tb may repeat images of nih, so images set aside "
    "look easier than another hospital's; the figures of networks trained without a hospital do not share this.",
    "Hardly any child is among the frontal chests. Whether an image is good enough to read is not judged.",
    "Planar lung scans are not learned: for a task that reads them plain checks decide, and the network only where it "
    "is sure to see something else that it knows.",
)

_CARD = WEIGHTS / NAME / "card.json"
_WITHOUT = "network trained without"

_REFERENCES = {
    "tb": ("Mendeley 10.17632/8j2g3csprk, Rahman's TB database, COVID-19 Radiography normals", "CC BY 4.0 and others"),
    "nih": ("ChestX-ray14, Wang 2017", "free use"),
    "hannover": ("Hannover COVID-19 image repository", "CC BY 3.0"),
    "lungs": ("OpenIST chest set", "no licence file: train and measure only"),
    "boneage": ("RSNA 2017 bone age challenge, Halabi 2018", "non-commercial research and education"),
    "body parts": ("UNIFESP body-part set", "research"),
}


@dataclass(frozen=True)
class HeldOut:
    """What a network stops, in a chest task, that was trained without one hospital and a half of the body parts.

    Attributes:
        source: the hospital's data set.
        chests_stopped, chests: its frontal chests.
        parts_stopped, parts: the body parts that the network had not seen.
    """

    source: str
    chests_stopped: int
    chests: int
    parts_stopped: int
    parts: int


def write_guard(
    model: nn.Module,
    points: Mapping[Reads, float],
    entries: Sequence[Entry],
    held_out: Sequence[HeldOut],
    settings: Mapping[str, Any],
) -> None:
    """Save the weights, measure them as stored, and write the card.

    Args:
        model: the network, in eval mode.
        points: probability of the wanted kind below which an image is stopped.
        entries: all images, of all parts.
        held_out: of the networks that left something out.
        settings: of the run; its widths build the network.
    """
    digest = save_weights(model, WEIGHTS / NAME)
    without = tuple(metric for each in held_out for metric in _without(each))
    # Measured through check_image, which needs a card to load the weights.
    write_card(_card(digest, points, entries, settings, without), _CARD)
    measure_again(entries)


def measure_again(entries: Sequence[Entry]) -> None:
    """Measure the stored weights and write their card anew; networks that left something out keep their figures.

    Raises:
        WeightsError: there are no weights, or they are not those of their card.
    """
    present = read_card(_CARD)
    kept = tuple(metric for metric in present.metrics if _WITHOUT in metric.part)
    metrics = (*guard_metrics(judge(entries)), *kept)
    write_card(replace(present, metrics=metrics, data=_sources(entries), limits=_LIMITS), _CARD)


def guard_metrics(judged: Judged) -> list[Metric]:
    """Share stopped of every group of images, for every kind of task; and whether inversion is noticed."""
    found = [
        share(
            f"stopped, task that reads: {reads}",
            f"{group}, set aside",
            sum(not verdicts[reads].ok for verdicts in all_verdicts),
            len(all_verdicts),
            _GOALS.get((reads, group), ""),
        )
        for reads in ("frontal chest", "hand")
        for group, all_verdicts in judged.items()
    ]
    swapped = [verdicts["frontal chest"] for verdicts in judged[SWAPPED_CHESTS]]
    noticed = sum(verdict.found == SWAPPED or not verdict.ok for verdict in swapped)
    return [*found, share("stopped or told to be inverted", f"{SWAPPED_CHESTS}, set aside", noticed, len(swapped))]


def share(name: str, part: str, count: int, cases: int, goal: str = "") -> Metric:
    """A share with Wilson's interval, and the counts in its note."""
    interval = wilson_interval(count, cases)
    note = f"{count} of {cases}" + (f"; goal {goal}" if goal else "")
    return Metric(name, part, interval.value, interval.low, interval.high, cases, note)


def _without(held: HeldOut) -> tuple[Metric, Metric]:
    name, network = "stopped, task that reads: frontal chest", f"{_WITHOUT} {held.source}"
    return (
        share(name, f"frontal chests of {held.source}, {network}", held.chests_stopped, held.chests),
        share(name, f"other body parts, {network} and without these images", held.parts_stopped, held.parts),
    )


def _card(
    digest: str,
    points: Mapping[Reads, float],
    entries: Sequence[Entry],
    settings: Mapping[str, Any],
    metrics: tuple[Metric, ...],
) -> Card:
    split = (
        "Part set aside: the data set's own where it has one (tb, nih, boneage), else drawn by patient (hannover) or "
        "file (OpenIST, body parts). Chests and hands of the body-part set only report. The operating points come from "
        "a part carved out of training."
    )
    return Card(
        task=NAME,
        labels=KINDS,
        model={"widths": settings["widths"]},
        input_size=SIZE,
        mean=0.5,
        std=0.5,
        sha256=digest,
        precision="fp16",
        thresholds={str(reads): point for reads, point in points.items()},
        temperature=1.0,
        initialisation="random",
        data=_sources(entries),
        split=split,
        metrics=metrics,
        settings=settings,
        commit=commit(),
        preparation=(),
        limits=_LIMITS,
    )


def _sources(entries: Sequence[Entry]) -> tuple[Source, ...]:
    counts = {name: sum(entry.source.split(",")[0] == name for entry in entries) for name in _REFERENCES}
    real = [Source(name, *_REFERENCES[name], counts[name], True) for name in _REFERENCES if counts[name]]
    made = count_made()
    chests = made.pop(FRONTAL) + made.pop(LATERAL)
    return (
        *real,
        Source("simulated chests, frontal and lateral", "cxrkit.phantoms", "free", chests, False),
        Source("drawn pictures", "train.image_guard.drawings", "free", sum(made.values()), False),
        Source("china.jpg and flower.jpg of scikit-learn, to measure on", "scikit-learn", "CC BY 2.0", 2, True),
    )
